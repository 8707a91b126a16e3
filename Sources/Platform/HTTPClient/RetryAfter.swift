/// The wait that a `Retry-After` header asks for.
public enum RetryAfter {
  /// Seconds as a number (RFC 9110, section 10.2.3); nil for the form with a date, and for waits beyond an hour, which
  /// no request here can outlast.
  public static func parse(_ value: String?) -> Duration? {
    guard let value, let seconds = Double(value), seconds.isFinite, seconds >= 0, seconds <= 3_600 else { return nil }
    return .milliseconds(Int(seconds * 1_000))
  }
}
