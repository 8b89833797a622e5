"""Fuzzing of ``koproxy.wire``: what must hold, checked by an independent reading of HTTP."""
