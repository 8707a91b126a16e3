public import Dispatch

/// An executor on a private serial Dispatch queue, for actors whose methods block (SQLite, pipes, files).
///
/// Swift's cooperative pool is as wide as the machine has cores, so one blocking call there can stop the
/// service; a private *serial* queue gets a thread of its own. A hop costs about 25 µs: hop once per
/// request, never once per row.
public final class SerialQueueExecutor: SerialExecutor {
  private let queue: DispatchQueue

  /// Creates an executor whose thread carries `label` in debuggers.
  public init(label: String, qos: DispatchQoS = .userInitiated) {
    queue = DispatchQueue(label: label, qos: qos)
  }

  /// Schedules `job` on the private queue.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedSerialExecutor()
    queue.async { job.runSynchronously(on: executor) }
  }

  /// Traps unless called on the private queue; backs `assumeIsolated` and `preconditionIsolated`.
  public func checkIsolated() {
    dispatchPrecondition(condition: .onQueue(queue))
  }

  /// The reference that an actor returns from `unownedExecutor`; the actor must keep the executor alive.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }
}
