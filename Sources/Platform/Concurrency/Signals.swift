import Dispatch
import Glibc

/// A signal that a process may wait for.
public enum Signal: Int32, Sendable, Hashable, CaseIterable {
  /// The terminal went away; by custom, "read your configuration again".
  case hangup = 1
  /// Ctrl-C.
  case interrupt = 2
  /// First signal for the program's own use.
  case user1 = 10
  /// Second signal for the program's own use.
  case user2 = 12
  /// A supervisor (systemd, a container runtime) asks the process to end.
  case terminate = 15
}

/// Signals as values, delivered to tasks rather than to handlers that may call almost nothing.
public enum Signals {
  /// The signals of `kinds` that arrive while the stream is read or held.
  ///
  /// Dispatch takes the signals over without `SIG_IGN`, which child processes would inherit. While a stream is
  /// alive its signals no longer end the process. Signals that arrive faster than they are read are kept, up
  /// to 16; like the kernel's own, more than that may be merged.
  public static func stream(of kinds: Set<Signal>) -> AsyncStream<Signal> {
    AsyncStream(bufferingPolicy: .bufferingOldest(16)) { continuation in
      let queue = DispatchQueue(label: "signals")
      let sources = Locked<[any DispatchSourceSignal]>([])
      let registered = DispatchSemaphore(value: 0)
      for kind in kinds {
        let source = DispatchSource.makeSignalSource(signal: kind.rawValue, queue: queue)
        // Without @Sendable the closure may inherit main-actor isolation and trap on Dispatch's thread.
        source.setEventHandler { @Sendable in continuation.yield(kind) }
        // Dispatch registers on another thread; until then the signal would still end the process.
        source.setRegistrationHandler { @Sendable in registered.signal() }
        source.activate()
        sources.withLock { $0.append(source) }
      }
      for _ in kinds { registered.wait() }
      continuation.onTermination = { @Sendable _ in
        sources.withLock { sources in
          for source in sources { source.cancel() }
          sources.removeAll()
        }
      }
    }
  }

  /// Makes writes to a closed pipe or socket fail with `EPIPE` rather than end the process.
  ///
  /// A server must call this once at its start. Child processes inherit it unless their spawner resets it.
  public static func ignoreBrokenPipes() {
    signal(SIGPIPE, SIG_IGN)
  }
}
