"""Mails that Mallory forges, and honest ones beside them: what is tried, the bytes, the verdict it must get."""

from __future__ import annotations

from tests.core.forgeries.chains import CHAINS
from tests.core.forgeries.headers import HEADERS
from tests.core.forgeries.honest import HONEST
from tests.core.forgeries.results import RESULTS
from tests.core.forgeries.signatures import DOMAINS, SIGNATURES
from tests.core.forgeries.world import BELIEVED, ZONE, Sample

__all__ = ["BELIEVED", "FORGERIES", "HONEST", "ZONE", "Sample"]

FORGERIES = (*SIGNATURES, *DOMAINS, *HEADERS, *RESULTS, *CHAINS)
"""Everything Mallory tries; none of it is ever proven."""
