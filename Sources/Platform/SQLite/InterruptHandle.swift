import CSQLite
import Concurrency
import Synchronization

/// Stops what a connection is doing, from any thread.
public final class InterruptHandle: Sendable {
  /// The address of the open `sqlite3`, 0 once it is closed: `sqlite3_interrupt` on a closed one is a use after free.
  private let address: Locked<UInt>
  /// Set for the length of a cancelled `Connection.cancellable`: an interrupt between two statements, which SQLite
  /// itself would forget, then stops the next.
  let isPending = Atomic<Bool>(false)

  init(_ database: OpaquePointer) {
    address = Locked(UInt(bitPattern: database))
  }

  /// Makes the statements that run now fail with `interrupted`. A write transaction among them is rolled back.
  /// If nothing runs, does nothing.
  public func interrupt() {
    address.withLock { address in
      if let database = OpaquePointer(bitPattern: address) { sqlite3_interrupt(database) }
    }
  }

  func markClosed() {
    address.withLock { $0 = 0 }
  }
}
