// The shortcodes that bots commonly use; any other is shown as typed.

const SHORTCODES = {
  "+1": "👍", "-1": "👎", thumbsup: "👍", thumbsdown: "👎", tada: "🎉", rocket: "🚀", fire: "🔥",
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌",
  negative_squared_cross_mark: "❎", heavy_multiplication_x: "✖️", warning: "⚠️",
  rotating_light: "🚨", no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", question: "❓",
  grey_question: "❔", exclamation: "❗", bangbang: "‼️", information_source: "ℹ️", bulb: "💡",
  red_circle: "🔴", large_green_circle: "🟢", large_blue_circle: "🔵", large_yellow_circle: "🟡",
  large_orange_circle: "🟠", white_circle: "⚪", black_circle: "⚫", large_red_square: "🟥",
  large_green_square: "🟩", large_yellow_square: "🟨", white_large_square: "⬜",
  black_large_square: "⬛", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️",
  clock1: "🕐", alarm_clock: "⏰", repeat: "🔁", arrows_counterclockwise: "🔄",
  arrow_forward: "▶️", arrow_right: "➡️", double_vertical_bar: "⏸️", black_square_for_stop: "⏹️",
  fast_forward: "⏩", bell: "🔔", no_bell: "🔕", mute: "🔇", mag: "🔍", eyes: "👀", bug: "🐛",
  wrench: "🔧", hammer: "🔨", gear: "⚙️", construction: "🚧", package: "📦", memo: "📝",
  clipboard: "📋", link: "🔗", lock: "🔒", key: "🔑", robot_face: "🤖", wave: "👋", pray: "🙏",
  sparkles: "✨", zap: "⚡", skull: "💀", broken_heart: "💔", green_heart: "💚", heart: "❤️",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", raised_hand: "✋",
  slightly_smiling_face: "🙂", smile: "😄", disappointed: "😞", sweat_smile: "😅", ok_hand: "👌",
};

export const emoji = (name) => SHORTCODES[name] ?? `:${name}:`;
