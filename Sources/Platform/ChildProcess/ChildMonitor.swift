import CLinux
import Concurrency
import Dispatch
import Glibc

/// A child's descriptors and its end. It outlives the `ChildProcess` until the child is reaped.
final class ChildMonitor: Sendable {
  private struct State {
    var end: ChildProcess.End?
    var killCause: ChildProcess.End.KillCause?
    var waiters: [CheckedContinuation<ChildProcess.End, Never>] = []
    var inputIsOpen = true
    var captured: [UInt8] = []
    var timer: (any DispatchSourceTimer)?
    /// By descriptor.
    var sources: [Int32: any DispatchSourceRead] = [:]
  }

  /// Ends and deadlines of all children: short handlers that never block.
  private static let events = DispatchQueue(label: "child-process.events", qos: .userInitiated)
  private static let outputChunk = 256 << 10
  private static let errorChunk = 16 << 10

  let processID: pid_t
  /// Reads block here, writes there: a child may need both at once.
  let output: BlockingQueue
  let input: BlockingQueue
  private let executable: String
  private let pipes: ChildPipes
  private let processDescriptor: Int32
  private let captureLimit: Int
  private let state = Locked(State())

  init(
    executable: String, processID: pid_t, pipes: ChildPipes, standardError: ChildProcess.StandardError
  ) throws(ChildProcessError) {
    self.executable = executable
    self.processID = processID
    self.pipes = pipes
    output = BlockingQueue(label: "child-process.\(processID).output")
    input = BlockingQueue(label: "child-process.\(processID).input")
    if case .captured(let limit) = standardError { captureLimit = max(0, limit) } else { captureLimit = 0 }
    processDescriptor = clinux_pidfd_open(processID)
    if processDescriptor < 0 {
      let number = errno
      _ = Glibc.kill(-processID, SIGKILL)
      var status: Int32 = 0
      waitpid(processID, &status, 0)
      // `deinit` closes this process's ends of the pipes.
      throw ChildProcessError(
        .spawnFailed, "'\(executable)' cannot be watched", remedy: "Raise the limit on open files.",
        systemError: number)
    }
    watch(processDescriptor) { monitor in monitor.reap() }
    if pipes.error >= 0 { watch(pipes.error) { monitor in monitor.captureError() } }
  }

  deinit {
    // The sources hold `self` until they are cancelled, so no descriptor is watched any more.
    let inputIsOpen = state.withLock { $0.inputIsOpen }
    for end in [inputIsOpen ? pipes.input : -1, pipes.output, pipes.error, processDescriptor] where end >= 0 {
      close(end)
    }
  }

  private func watch(_ descriptor: Int32, _ handler: @escaping @Sendable (ChildMonitor) -> Void) {
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: Self.events)
    source.setEventHandler { @Sendable in handler(self) }
    // Cancellation is complete only when this handler runs; it keeps the descriptor open until then.
    source.setCancelHandler { @Sendable in withExtendedLifetime(self) {} }
    state.withLock { $0.sources[descriptor] = source }
    source.activate()
  }

  // MARK: The end

  func setDeadline(_ deadline: ContinuousClock.Instant) {
    let seconds = ContinuousClock.now.duration(to: deadline) / .seconds(1)
    let timer = DispatchSource.makeTimerSource(queue: Self.events)
    timer.schedule(deadline: .now() + max(0, seconds))
    timer.setEventHandler { @Sendable [weak self] in self?.kill(because: .deadline) }
    state.withLock { state in
      if state.end == nil { state.timer = timer }
    }
    timer.activate()
  }

  func end() async -> ChildProcess.End {
    await withCheckedContinuation { continuation in
      let end = state.withLock { state in
        if state.end == nil { state.waiters.append(continuation) }
        return state.end
      }
      if let end { continuation.resume(returning: end) }
    }
  }

  func kill(because cause: ChildProcess.End.KillCause) {
    state.withLock { state in
      // Until it is reaped the number cannot mean another process; the lock is held for that reason.
      guard state.end == nil else { return }
      if state.killCause == nil, !hasEnded { state.killCause = cause }
      _ = Glibc.kill(-processID, SIGKILL)
    }
  }

  func send(_ signal: Int32) -> Bool {
    state.withLock { $0.end == nil && Glibc.kill(processID, signal) == 0 }
  }

  /// Whether the child has ended, reaped or not.
  private var hasEnded: Bool {
    var item = pollfd(fd: processDescriptor, events: Int16(POLLIN), revents: 0)
    return poll(&item, 1, 0) == 1
  }

  private func reap() {
    captureError()
    let (end, waiters) = state.withLock {
      state -> (ChildProcess.End?, [CheckedContinuation<ChildProcess.End, Never>]) in
      guard state.end == nil else { return (nil, []) }
      // The leader is a zombie, so the group's number is still its own: its descendants end with it.
      _ = Glibc.kill(-processID, SIGKILL)
      var status: Int32 = 0
      var usage = clinux_usage()
      let result = clinux_reap(processID, &status, &usage)
      if result == 0 { return (nil, []) }
      let end = ChildProcess.End(
        status: result < 0
          ? .unknown
          : clinux_exited(status) ? .exited(clinux_exit_code(status)) : .signalled(clinux_term_signal(status)),
        killCause: state.killCause, userTime: .microseconds(usage.user_microseconds),
        systemTime: .microseconds(usage.system_microseconds), peakResidentBytes: usage.max_resident_bytes)
      state.end = end
      state.timer?.cancel()
      state.timer = nil
      for source in state.sources.values { source.cancel() }
      state.sources = [:]
      let waiters = state.waiters
      state.waiters = []
      return (end, waiters)
    }
    guard let end else { return }
    for waiter in waiters { waiter.resume(returning: end) }
  }

  // MARK: The pipes

  var capturedError: [UInt8] { state.withLock { $0.captured } }

  private func captureError() {
    guard pipes.error >= 0 else { return }
    // Bounded, so that one chatty child does not hold up the events of the others; the source fires again.
    for _ in 0..<16 {
      switch Self.readOnce(pipes.error, atMost: Self.errorChunk) {
      case .bytes(let bytes):
        state.withLock { state in
          state.captured += bytes
          if state.captured.count > captureLimit { state.captured.removeFirst(state.captured.count - captureLimit) }
        }
      case .nothingYet: return
      case .end, .failed:
        // At end of file the source would fire for ever.
        state.withLock { $0.sources.removeValue(forKey: pipes.error)?.cancel() }
        return
      }
    }
  }

  /// Blocks until there are bytes or the output has ended.
  func readOutput() throws(ChildProcessError) -> [UInt8]? {
    while true {
      // Asked before the read: what the child wrote before its end is then certainly in the pipe.
      let childHadEnded = hasEnded
      switch Self.readOnce(pipes.output, atMost: Self.outputChunk) {
      case .bytes(let bytes): return bytes
      case .end: return nil
      case .failed(let number): throw pipeError("standard output", number)
      case .nothingYet:
        // A process that left the group may hold the pipe open: it is not waited for.
        if childHadEnded { return nil }
        wait(for: pipes.output, Int16(POLLIN))
      }
    }
  }

  func writeInput(_ bytes: [UInt8]) throws(ChildProcessError) {
    var offset = 0
    while offset < bytes.count {
      guard state.withLock({ $0.inputIsOpen }) else { throw inputClosed(EBADF) }
      let written = bytes.withUnsafeBytes { clinux_write(pipes.input, $0.baseAddress! + offset, $0.count - offset) }
      let number = errno
      if written >= 0 {
        offset += written
      } else if number == EAGAIN {
        if hasEnded { throw inputClosed(EPIPE) }
        wait(for: pipes.input, Int16(POLLOUT))
      } else if number == EPIPE {
        throw inputClosed(number)
      } else if number != EINTR {
        throw pipeError("standard input", number)
      }
    }
  }

  func closeInput() {
    let wasOpen = state.withLock { state in
      defer { state.inputIsOpen = false }
      return state.inputIsOpen
    }
    if wasOpen { close(pipes.input) }
  }

  /// Blocks until the pipe is ready or the child has ended.
  private func wait(for descriptor: Int32, _ events: Int16) {
    var items = [
      pollfd(fd: descriptor, events: events, revents: 0),
      pollfd(fd: processDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    poll(&items, 2, -1)
  }

  private enum ReadResult {
    case bytes([UInt8])
    case end
    case nothingYet
    case failed(Int32)
  }

  private static func readOnce(_ descriptor: Int32, atMost chunkSize: Int) -> ReadResult {
    var number: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: chunkSize) { buffer, count in
      var length = -1
      repeat {
        length = Glibc.read(descriptor, buffer.baseAddress, chunkSize)
        number = errno
      } while length < 0 && number == EINTR
      count = max(0, length)
      if length >= 0 { number = 0 }
    }
    if !bytes.isEmpty { return .bytes(bytes) }
    return number == 0 ? .end : number == EAGAIN ? .nothingYet : .failed(number)
  }

  private func inputClosed(_ number: Int32) -> ChildProcessError {
    ChildProcessError(
      .inputClosed, "'\(executable)' no longer reads its standard input", remedy: "See how the process ended.",
      systemError: number)
  }

  private func pipeError(_ which: String, _ number: Int32) -> ChildProcessError {
    ChildProcessError(
      .pipeFailed, "the \(which) of '\(executable)' failed", remedy: "See how the process ended.", systemError: number)
  }
}
