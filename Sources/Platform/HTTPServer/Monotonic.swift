import Glibc

/// Nanoseconds of the monotonic clock, as numbers because the watcher compares thousands of them at a time.
typealias Nanoseconds = Int64

enum Monotonic {
  static func now() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
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
