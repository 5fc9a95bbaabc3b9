from __future__ import annotations

from tests.web.conftest import browser as browser
from tests.web.desk.conftest import verbund as verbund
