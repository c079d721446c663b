"""What is said in the log, and what of it must not be said."""

import logging
import re
from typing import Final, override
import warnings

DOMAIN: Final = "amps_ai"

# Said of every custom integration.
_ALWAYS: Final = re.compile(r"custom integration \w+ which has not been tested")
_DEPRECATED: Final = re.compile(
    r"deprecat|will stop working|will be removed in|breaks in", re.IGNORECASE
)


class Log(logging.Handler):
    """Keep the lines that must not be there.

    These are all errors, and the warnings that name the integration or tell that
    something is deprecated.
    """

    def __init__(self) -> None:
        """Hear warnings and what is worse."""
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self.bad: list[str] = []
        self.heard = 0

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Look at a line, with the exception that it tells."""
        self.heard += 1
        line = self.format(record)
        if (
            record.levelno < logging.ERROR
            and DOMAIN not in line
            and not _DEPRECATED.search(line)
        ):
            return
        if not _ALWAYS.search(line):
            self.bad.append(line)

    def listen(self) -> None:
        """Hear everything from now on, also Python's own warnings of our code."""
        logging.getLogger().addHandler(self)
        logging.captureWarnings(capture=True)
        # Those of other people's code are not for this project to mend.
        warnings.simplefilter("ignore")
        for package in ("custom_components", "sandbox"):
            warnings.filterwarnings("always", module=package)
