"""What two or more chores share: the run harness, decisions, reports, alerts, state.

While a function starts, its imports make some hundred thousand objects that live as long as it
does. Looking for garbage among them takes a sixth of a cold start, so collection rests until
`caretaker.aws.warmup` has what it needs (figures: docs/performance.md).
"""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()
