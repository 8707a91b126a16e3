import CLinux
public import Concurrency
import Glibc

/// A process started by this one: under limits, with a deadline, with pipes to its input and from its output.
///
/// The child leads a process group of its own. When it ends, when its deadline comes, when a task that waits on it is
/// cancelled, and when the last reference to the `ChildProcess` goes, whatever lives in that group is killed.
/// The child can notice the parent's death by end of file on its standard input.
public final class ChildProcess: Sendable {
  /// Where the child's standard error goes.
  public enum StandardError: Sendable, Hashable {
    /// To this process's own.
    case inherited
    /// Nowhere.
    case discarded
    /// To memory, of which the last `limit` bytes are kept.
    case captured(limit: Int)
  }

  /// How a child ended.
  public struct End: Sendable, Hashable {
    /// What the system reports.
    public enum Status: Sendable, Hashable {
      /// It returned this exit code, 0…255.
      case exited(Int32)
      /// This signal ended it.
      case signalled(Int32)
      /// Someone else collected its status (`SIGCHLD` is ignored in this process, or a foreign `wait`).
      case unknown
    }

    /// Why this process killed the child.
    public enum KillCause: Sendable, Hashable {
      /// Its deadline came.
      case deadline
      /// A task that waited on it was cancelled.
      case cancellation
      /// `kill()` was called or the `ChildProcess` was released.
      case request
    }

    /// Exit code or signal.
    public let status: Status
    /// Set if the child was killed by this process; `nil` if it ended by itself.
    public let killCause: KillCause?
    /// Processor time in user mode.
    public let userTime: Duration
    /// Processor time in the kernel.
    public let systemTime: Duration
    /// An upper bound of the peak resident memory, bytes: Linux counts what the spawning process held at the
    /// moment of the spawn too.
    public let peakResidentBytes: Int64

    /// Whether the child ended by itself with exit code 0.
    public var isSuccess: Bool { status == .exited(0) && killCause == nil }
  }

  /// The system's process number, also that of its group.
  public var processID: Int32 { monitor.processID }
  let monitor: ChildMonitor

  private init(monitor: ChildMonitor) {
    self.monitor = monitor
  }

  deinit {
    monitor.kill(because: .request)
  }

  /// Starts a program.
  /// - Parameters:
  ///   - executable: a path; the search path is not consulted (see `locate`).
  ///   - arguments: without the program's name.
  ///   - environment: the whole environment; `inheritedEnvironment()` is this process's.
  ///   - directory: the working directory; `nil` keeps this process's.
  ///   - deadline: when the child and its group are killed.
  /// - Throws: `ChildProcessError`.
  public static func spawn(
    executable: String, arguments: [String] = [], environment: [String: String] = inheritedEnvironment(),
    directory: String? = nil, limits: ProcessLimits = ProcessLimits(), deadline: ContinuousClock.Instant? = nil,
    standardError: StandardError = .inherited
  ) throws(ChildProcessError) -> ChildProcess {
    for text in [executable, directory ?? ""] + arguments + environment.values where text.utf8.contains(0) {
      throw ChildProcessError(
        .invalidArgument, "a NUL byte in the command '\(executable)'", remedy: "Remove it from the argument.")
    }
    for name in environment.keys where name.isEmpty || name.utf8.contains(0) || name.contains("=") {
      throw ChildProcessError(
        .invalidArgument, "'\(name)' is not a name for an environment variable of '\(executable)'",
        remedy: "Use a name without '=' and NUL.")
    }
    let pipes = try ChildPipes(executable: executable, standardError: standardError)
    var processID: pid_t = 0
    let settings = limits.settings
    let number = withCStrings([executable] + arguments) { argv in
      withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
        clinux_spawn(
          &processID, executable, argv, envp, directory, pipes.childInput, pipes.childOutput, pipes.childError,
          settings, settings.count)
      }
    }
    pipes.closeChildEnds()
    if number != 0 {
      pipes.closeOwnEnds()
      throw .spawn(executable, directory: directory, number: number)
    }
    let monitor = try ChildMonitor(
      executable: executable, processID: processID, pipes: pipes, standardError: standardError)
    let child = ChildProcess(monitor: monitor)
    if let deadline { monitor.setDeadline(deadline) }
    return child
  }

  /// What the child writes to its standard output; read it once, from one task.
  public var standardOutput: Output { Output(child: self) }

  /// The next bytes of the child's standard output, at most 256 KiB; `nil` at its end. Use from one task at a time.
  ///
  /// Nothing is read ahead: the child waits when the pipe (512 KiB) is full. Cancelling the task kills the child.
  /// - Throws: `ChildProcessError`, or `CancellationError`.
  public func read() async throws -> [UInt8]? {
    try Task.checkCancellation()
    let bytes = try await withTaskCancellationHandler {
      try await monitor.output.run { [monitor] () throws(ChildProcessError) in try monitor.readOutput() }
    } onCancel: {
      monitor.kill(because: .cancellation)
    }
    if bytes == nil { try Task.checkCancellation() }
    return bytes
  }

  /// Writes all `bytes` to the child's standard input, waiting while the pipe is full.
  ///
  /// Cancelling the task kills the child. Concurrent writes follow one another, each whole.
  /// - Throws: `ChildProcessError` with code `inputClosed` if the child reads no more; `CancellationError`.
  public func write(_ bytes: [UInt8]) async throws {
    try Task.checkCancellation()
    do {
      try await withTaskCancellationHandler {
        try await monitor.input.run { [monitor] () throws(ChildProcessError) in try monitor.writeInput(bytes) }
      } onCancel: {
        monitor.kill(because: .cancellation)
      }
    } catch {
      try Task.checkCancellation()
      throw error
    }
  }

  /// Ends the child's standard input, after the writes that are under way.
  public func closeInput() async {
    await monitor.input.run { [monitor] in monitor.closeInput() }
  }

  /// Waits for the child's end. Cancelling the task kills the child, and the end is then returned as ever.
  ///
  /// A child whose output nobody reads may never end: read it, or spawn it with a deadline.
  public func end() async -> End {
    await withTaskCancellationHandler {
      await monitor.end()
    } onCancel: {
      monitor.kill(because: .cancellation)
    }
  }

  /// Kills the child and its group (SIGKILL). After its end, does nothing.
  public func kill() {
    monitor.kill(because: .request)
  }

  /// Sends the child (not its group) a signal, to ask it to end; false if it has ended.
  @discardableResult
  public func send(_ signal: Signal) -> Bool {
    monitor.send(signal.rawValue)
  }

  /// The last bytes that the child wrote to its standard error, if they are captured; complete once `end()` returned.
  public var capturedError: [UInt8] { monitor.capturedError }

  /// The environment of this process.
  public static func inheritedEnvironment() -> [String: String] {
    var environment: [String: String] = [:]
    guard var entry = clinux_environment() else { return [:] }
    while let text = entry.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, !parts[0].isEmpty { environment[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return environment
  }

  /// The path of the executable called `name` in the search path `PATH`; a name with a slash is returned as it is.
  /// `nil` if there is none.
  public static func locate(_ name: String, searchPath: String? = inheritedEnvironment()["PATH"]) -> String? {
    if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
    for folder in (searchPath ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
      let path = "\(folder)/\(name)"
      if access(path, X_OK) == 0 { return path }
    }
    return nil
  }
}

extension ChildProcess {
  /// A child's standard output as chunks of bytes, read only as fast as they are consumed.
  public struct Output: AsyncSequence, Sendable {
    /// At most 256 KiB.
    public typealias Element = [UInt8]
    let child: ChildProcess

    /// Reads the next chunk on each call.
    public struct AsyncIterator: AsyncIteratorProtocol {
      let child: ChildProcess

      /// See `ChildProcess.read()`.
      public mutating func next() async throws -> [UInt8]? { try await child.read() }
    }

    /// All iterators share the one pipe.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(child: child) }
  }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
  copies.append(nil)
  defer { for copy in copies { free(copy) } }
  return copies.withUnsafeBufferPointer { body($0.baseAddress!) }
}
