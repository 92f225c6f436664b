"""What the bot imports when it runs, and what it must not."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from importlib import import_module
for name in sys.argv[1:]:
    import_module(name)
print(sorted(sys.modules))
"""


def test_pytest_is_for_the_conformance_suite_only() -> None:
    files = (ROOT / "bot").rglob("*.py")
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    wanted = sorted(n for n in names if "conformance" not in n and not n.endswith("__main__"))
    assert len(wanted) > 100
    done = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", SCRIPT, *wanted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "'bot.runtime.bot'" in done.stdout
    assert "'pytest'" not in done.stdout
