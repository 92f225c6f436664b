"""auth.test, users.*, usergroups.*, bots.info and team.info."""

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.messages import Json
from bot.playground.slack.people import APP_ID, BOT_ID, BOT_USER, HOME_TEAM, Person, UserGroup
from bot.playground.slack.platform import Platform


def auth_test(platform: Platform, arguments: Arguments) -> Json:
    del arguments
    return {
        "url": f"{platform.url}/",
        "team": "Sample workspace",
        "user": platform.workspace.people[BOT_USER].name,
        "team_id": HOME_TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def users_info(platform: Platform, arguments: Arguments) -> Json:
    person = platform.workspace.people.get(arguments.need("user", "user_not_found"))
    if person is None:
        raise ApiError("user_not_found")
    return {"user": person_json(person)}


def users_list(platform: Platform, arguments: Arguments) -> Json:
    del arguments
    people = [person_json(person) for person in platform.workspace.people.values()]
    return {"members": people, "response_metadata": {"next_cursor": ""}}


def usergroups_list(platform: Platform, arguments: Arguments) -> Json:
    with_users = arguments.flag("include_users")
    groups = platform.workspace.groups.values()
    return {"usergroups": [_group_json(group, with_users=with_users) for group in groups]}


def usergroup_users(platform: Platform, arguments: Arguments) -> Json:
    group = platform.workspace.groups.get(arguments.need("usergroup", "no_such_subteam"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": group.users}


def bots_info(platform: Platform, arguments: Arguments) -> Json:
    if arguments.text("bot", BOT_ID) != BOT_ID:
        raise ApiError("bot_not_found")
    name = platform.workspace.people[BOT_USER].name
    held = {"id": BOT_ID, "app_id": APP_ID, "user_id": BOT_USER, "name": name, "deleted": False}
    return {"bot": held}


def team_info(platform: Platform, arguments: Arguments) -> Json:
    team_id = arguments.text("team", HOME_TEAM)
    if team_id != HOME_TEAM:
        raise ApiError("team_not_found")
    domain = platform.workspace.domain(team_id)
    return {"team": {"id": team_id, "name": "Sample workspace", "domain": domain}}


def person_json(person: Person) -> Json:
    return {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "real_name": person.real_name,
        "tz": "Etc/UTC",
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_stranger": person.is_stranger,
        "profile": {"display_name": person.name, "real_name": person.real_name},
    }


def _group_json(group: UserGroup, *, with_users: bool) -> Json:
    shown: Json = {
        "id": group.id,
        "team_id": HOME_TEAM,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "user_count": len(group.users),
        "date_delete": 0,
    }
    return {**shown, "users": group.users} if with_users else shown
