-- Says what wrk has counted as one line of JSON, since its own report rounds. Latencies are in µs.

function done(summary, latency, requests)
    io.write(string.format(
        '\nfigures: {"requests": %d, "duration": %d, "p50": %d, "p99": %d, ' ..
        '"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        summary.errors.connect, summary.errors.read, summary.errors.write,
        summary.errors.status, summary.errors.timeout))
end
