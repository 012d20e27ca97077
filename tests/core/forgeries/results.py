"""Authentication-Results that Mallory wrote, or that say nothing of Alice."""

from __future__ import annotations

from tests.core.forgeries.world import FORGED, OURS, PASS, THEIRS, Sample, above, told

RESULTS = (
    Sample(
        "results of a stranger", "another server's id", told(OURS, PASS.replace("mx.", "mx.evil.")), FORGED
    ),
    Sample(
        "results below their Received",
        "our id, but from before our server",
        told(OURS, THEIRS, PASS),
        FORGED,
    ),
    Sample(
        "results under ours",
        "a second field below our server's",
        told(OURS, "Authentication-Results: mx.example.com; spf=none", PASS),
        FORGED,
    ),
    Sample(
        "results under a stranger's",
        "our id below another's",
        told(OURS, "Authentication-Results: mx.evil.example; none", PASS),
        FORGED,
    ),
    Sample(
        "results without an id",
        "as Microsoft writes them",
        told(OURS, "Authentication-Results: dmarc=pass header.from=example.org"),
        FORGED,
    ),
    Sample(
        "id in a remark",
        "our id in brackets",
        told(OURS, PASS.replace("mx.example.com;", "mx.evil.example (mx.example.com);")),
        FORGED,
    ),
    Sample(
        "id with more",
        "mx.example.com.evil.example",
        told(OURS, PASS.replace("mx.example.com", "mx.example.com.evil.example")),
        FORGED,
    ),
    Sample("id with less", "example.com", told(OURS, PASS.replace("mx.example.com", "example.com")), FORGED),
    Sample(
        "pass in a remark",
        "dmarc=fail (dmarc=pass …)",
        told(OURS, "Authentication-Results: mx.example.com; spf=fail (; dmarc=pass header.from=example.org)"),
        FORGED,
    ),
    Sample(
        "pass in quotes",
        "the envelope sender quotes a result",
        told(
            OURS,
            'Authentication-Results: mx.example.com; spf=fail x="; dmarc=pass header.from=example.org"@evil.test',
        ),
        FORGED,
    ),
    Sample(
        "quote left open",
        "a quote that swallows the rest",
        told(
            OURS,
            'Authentication-Results: mx.example.com; spf=fail smtp.mailfrom="x; dmarc=pass header.from=example.org',
        ),
        FORGED,
    ),
    Sample(
        "remark left open",
        "a bracket that swallows the rest",
        told(OURS, "Authentication-Results: mx.example.com; spf=fail (x; dmarc=pass header.from=example.org"),
        FORGED,
    ),
    Sample(
        "pass for another domain",
        "header.from is not From",
        told(OURS, PASS.replace("example.org", "evil.example")),
        FORGED,
    ),
    Sample(
        "pass for a subdomain",
        "header.from is below From",
        told(OURS, PASS.replace("=example.org", "=x.example.org")),
        FORGED,
    ),
    Sample(
        "pass without a domain",
        "no header.from",
        told(OURS, PASS.replace(" header.from=example.org", "")),
        FORGED,
    ),
    Sample(
        "pass and fail",
        "two dmarc results",
        told(OURS, PASS + "; dmarc=fail header.from=example.org"),
        FORGED,
    ),
    Sample(
        "two domains",
        "two header.from in one result",
        told(OURS, PASS + " header.from=evil.example"),
        FORGED,
    ),
    Sample(
        "only SPF",
        "spf=pass of Mallory's envelope",
        told(OURS, "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=evil.example"),
        FORGED,
    ),
    Sample(
        "only a foreign DKIM",
        "dkim=pass of Mallory's domain",
        told(OURS, "Authentication-Results: mx.example.com; dkim=pass header.d=evil.example"),
        FORGED,
    ),
    Sample(
        "passed by guess", "dmarc=bestguesspass", told(OURS, PASS.replace("pass", "bestguesspass")), FORGED
    ),
    Sample("our server says fail", "dmarc=fail", told(OURS, PASS.replace("pass", "fail")), FORGED),
    Sample(
        "From twice under a pass",
        "our server judged one From of two",
        above("From: mallory@evil.example", told(OURS, PASS)),
        FORGED,
    ),
    Sample(
        "field name with a space",
        '"Authentication-Results :" of a stranger above ours',
        told("Authentication-Results : mx.evil.example; none", PASS),
        FORGED,
    ),
    Sample(
        "Received in a remark",
        "Received: (by mx.example.com) by evil",
        told("Received: from x (by mx.example.com) by out.evil.example; now", PASS),
        FORGED,
    ),
    Sample("old names", "X-Authentication-Results", told(OURS, "X-" + PASS), FORGED),
    Sample(
        "SPF's own field",
        "Received-SPF: pass",
        told(OURS, "Received-SPF: pass (mx.example.com: domain of example.org)"),
        FORGED,
    ),
)
