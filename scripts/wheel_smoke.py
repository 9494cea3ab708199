"""Build the wheel, install it in an empty environment, run the demo from another directory."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path) -> str:
    """The command's standard output; its standard error is shown, a failure ends this program."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def main() -> None:
    """Fails with a message when a file is missing from the wheel or the demo does not run."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pip = ("-m", "pip", "--disable-pip-version-check", "--quiet")
        run(
            sys.executable,
            *pip,
            "wheel",
            "--no-build-isolation",
            "--no-deps",
            "-w",
            work,
            ROOT,
            cwd=work,
        )
        wheels = list(work.glob("retrospan-*.whl"))
        if len(wheels) != 1:
            sys.exit(f"expected one wheel, found {wheels}")
        venv.create(work / "env", with_pip=True)
        python = work / "env" / "bin" / "python"
        lock = ROOT / "requirements.lock"
        run(python, *pip, "install", "--require-hashes", "-r", lock, cwd=work)
        run(python, *pip, "install", "--no-deps", wheels[0], cwd=work)
        run(work / "env" / "bin" / "retrospan", "--help", cwd=work)
        said = run(work / "env" / "bin" / "retrospan", "demo", "--out", work / "demo", cwd=work)
        written = sorted(path.name for path in (work / "demo").iterdir())
        if not any(file.endswith(".md") for file in written) or not said.strip():
            sys.exit(f"the demo wrote {written} and said {said!r}")
        print(f"wheel smoke test: {wheels[0].name} installed, demo wrote {', '.join(written)}")


if __name__ == "__main__":
    main()
