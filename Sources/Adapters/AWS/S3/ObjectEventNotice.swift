/// What happens to the messages of a queue of object events.
public enum ObjectEventNotice: Sendable {
  /// So many messages were received.
  case received(Int)
  /// So many were deleted: what they name is indexed, deleted, or recorded with its failure.
  case deleted(Int)
  /// So many were deleted that name nothing of this source.
  case passedOver(Int)
  /// A message is left in the queue, for its redrive policy to move it to the dead-letter queue.
  case left(messageID: String, reason: String, receiveCount: Int)
  /// The queue cannot be used; the `count`th failure in a row, and the next try comes after `delay`.
  case failed(AWSError, count: Int, delay: Duration)
  /// The queue works again after so many failures.
  case recovered(count: Int)
}
