public import Dispatch

/// A thread for calls that block, with an asynchronous way in.
///
/// Swift's cooperative pool and Dispatch's global queues are as wide as the machine has cores, so a few blocking
/// calls there stop the whole process. A private serial queue gets a thread of its own. Calls run one at a time in
/// the order they came.
public final class BlockingQueue: Sendable {
  private let queue: DispatchQueue

  /// Creates a queue whose thread carries `label` in debuggers.
  public init(label: String, qos: DispatchQoS = .userInitiated) {
    queue = DispatchQueue(label: label, qos: qos)
  }

  /// Runs `body` on the queue's thread and returns its result or throws its error.
  ///
  /// A cancelled task still waits: a blocking call cannot be left half done. Where the call has a way to be
  /// interrupted (`sqlite3_interrupt`, closing a pipe), use it in a cancellation handler around this call.
  public func run<Result: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let outcome = await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: Self.outcome(of: body)) }
    }
    return try outcome.get()
  }

  private static func outcome<Result, Failure: Error>(
    of body: () throws(Failure) -> Result
  ) -> Swift.Result<Result, Failure> {
    do { return .success(try body()) } catch { return .failure(error) }
  }
}

/// Runs one blocking `body` on a thread of its own and awaits it; for repeated calls keep a `BlockingQueue`.
public func runBlocking<Result: Sendable, Failure: Error>(
  label: String, _ body: @escaping @Sendable () throws(Failure) -> Result
) async throws(Failure) -> Result {
  try await BlockingQueue(label: label).run(body)
}
