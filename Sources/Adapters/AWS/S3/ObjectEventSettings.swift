/// How the messages of a queue of object events are held.
public struct ObjectEventSettings: Sendable, Hashable {
  /// For how long others do not get a message of a worker that is killed; a worker that lives extends it. 3 s to 12 h.
  public var visibility: Duration
  /// How long one call waits for messages, at most 20 s.
  public var pollTime: Duration
  /// Messages held at once; with so many, no more are received.
  public var limit: Int
  /// Time until a message is looked at again whose object cannot be looked at, or is in work elsewhere.
  public var pause: Duration
  /// The wait after a first failure of the queue; it doubles with each further one, up to five minutes.
  public var firstRetry: Duration

  /// Creates settings.
  public init(
    visibility: Duration = .seconds(120), pollTime: Duration = .seconds(20), limit: Int = 100,
    pause: Duration = .seconds(3), firstRetry: Duration = .seconds(5)
  ) {
    self.visibility = visibility
    self.pollTime = pollTime
    self.limit = limit
    self.pause = pause
    self.firstRetry = firstRetry
  }
}
