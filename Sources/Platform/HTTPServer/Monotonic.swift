import Glibc

/// Nanoseconds of the monotonic clock, read coarsely (4 ms): it is read several times a request.
typealias Nanoseconds = Int64

enum Monotonic {
  static func now() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension Duration {
  /// The duration in whole nanoseconds, at most 292 years.
  var nanoseconds: Nanoseconds {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max / 4 : min(product, .max / 4) + attoseconds / 1_000_000_000
  }
}
