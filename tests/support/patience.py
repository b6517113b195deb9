"""How long tests wait for what must happen."""

from __future__ import annotations

# A machine that is busy with other things is slow, and being slow is not what is tested: what takes this long has
# failed. Nobody waits for it otherwise, so it costs nothing.
PATIENCE_S = 60.0
