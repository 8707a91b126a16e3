import ChildProcess
import Concurrency
import Core
import Glibc
import PDFPipe

/// One reader process and what is said to it and by it. When the last reference goes, the process is killed.
///
/// Everything that comes from the process is taken for hostile: it is decoded with bounds, counted against the output
/// limit, and checked for order.
actor ReaderConversation {
  private let child: ChildProcess
  private let name: String
  private let limits: PDFLimits
  private var decoder: FrameDecoder
  private var received = 0
  private var timeLeft: Duration
  private var pagesSeen = 0

  /// Starts a reader.
  init(configuration: PDFReaderConfiguration, name: String) throws(PDFReadingError) {
    let program = try configuration.locateReader()
    do {
      child = try ChildProcess.spawn(
        executable: program, environment: Self.environment(), standardError: .captured(limit: 16 << 10))
    } catch {
      throw PDFReadingError(
        .readerUnusable, "'\(program)' cannot be started", remedy: error.remedy, underlying: error)
    }
    self.name = name
    limits = configuration.limits
    timeLeft = limits.wallTime
    decoder = FrameDecoder(maxPayload: min(limits.maxOutputBytes, 256 << 20))
  }

  /// Sends a request. A reader that no longer listens has said why, or its end tells.
  func send(_ request: ReaderRequest) async throws {
    do {
      try await child.write(request.frame.encoded)
    } catch let error as ChildProcessError where error.code == .inputClosed {
      return
    }
  }

  /// The next reply; failures and the process's untimely end are thrown.
  func nextReply() async throws -> ReaderReply {
    do {
      while true {
        if let frame = try decoder.next() {
          let reply = try ReaderReply(frame)
          switch reply {
          case .failure(let failure): throw PDFReadingError(failure, name: name, limits: limits)
          case .page, .pageFailure: pagesSeen += 1
          default: break
          }
          return reply
        }
        guard let bytes = try await read() else { throw await untimelyEnd() }
        received += bytes.count
        // The reader keeps to the limit itself; its parting words may come on top.
        guard received <= limits.maxOutputBytes + (64 << 10) else {
          child.kill()
          throw PDFReadingError.outputLimit(name, limits)
        }
        decoder.append(bytes)
      }
    } catch PipeError.frameTooLarge {
      child.kill()
      throw PDFReadingError.outputLimit(name, limits)
    } catch let error as PipeError {
      throw misbehaved("sent a malformed message", error)
    }
  }

  /// The reader broke the rules of the conversation: it is ended.
  func misbehaved(_ how: String, _ underlying: (any Error)? = nil) -> PDFReadingError {
    child.kill()
    return .crashed(name, how, underlying: underlying)
  }

  /// Reads within what is left of the time; only time spent waiting for the reader counts.
  private func read() async throws -> [UInt8]? {
    let clock = ContinuousClock()
    let start = clock.now
    defer { timeLeft -= clock.now - start }
    do {
      return try await withTimeout(max(.zero, timeLeft), clock: clock) { [child] in try await child.read() }
    } catch is DeadlineExceeded {
      child.kill()
      throw PDFReadingError.timeLimit(name, limits)
    }
  }

  private func untimelyEnd() async -> any Error {
    // Its output has ended, so its end is near; a process that only closed its output is not waited for.
    await child.closeInput()
    let watchdog = Task { [child] in
      try await Task.sleep(for: .seconds(5))
      child.kill()
    }
    let end = await child.end()
    watchdog.cancel()
    if Task.isCancelled { return CancellationError() }
    let said = String(decoding: child.capturedError, as: UTF8.self)
    if Self.memoryPhrases.contains(where: said.contains) { return PDFReadingError.memoryLimit(name, limits) }
    let cpu = end.userTime + end.systemTime
    switch end.status {
    // The reader lowers its soft limit for each page; only then is it told to stop before its time is up. The kernel
    // counts that time in ticks, and reports it more exactly.
    case .signalled(SIGXCPU) where limits.cpuSeconds == 0 || cpu + .milliseconds(500) < .seconds(limits.cpuSeconds):
      return PDFReadingError(
        .pageCPULimit,
        "page \(pagesSeen + 1) of '\(name)' took more than the \(limits.pageCPUSeconds) s of processor time allowed "
          + "for a page",
        remedy: "It may be made to never end. If you trust it, raise pdf.pageCpuTime.")
    case .signalled(let number) where number == SIGXCPU || number == SIGKILL && cpu >= .seconds(limits.cpuSeconds):
      return PDFReadingError(
        .cpuLimit, "'\(name)' took more than the \(limits.cpuSeconds) s of processor time allowed",
        remedy: "It may be made to never end. If you trust it, raise pdf.cpuTime.")
    case .signalled(SIGKILL) where end.killCause == nil:
      return PDFReadingError.crashed(name, "was killed from outside, perhaps because the machine ran out of memory")
    case .signalled(let number):
      return PDFReadingError.crashed(name, "crashed with signal \(number)" + Self.lastLine(said))
    case .exited(let status):
      return PDFReadingError.crashed(name, "ended early with status \(status)" + Self.lastLine(said))
    case .unknown:
      return PDFReadingError.crashed(name, "ended early" + Self.lastLine(said))
    }
  }

  /// What Poppler, the C++ library, GLib and the Swift runtime say when memory runs out.
  private static let memoryPhrases = [
    "Out of memory", "bad_alloc", "failed to allocate", "Could not allocate memory", "Cannot allocate memory",
    "bad_array_new_length",
  ]

  private static func lastLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).last.map { ": \($0.prefix(200))" } ?? ""
  }

  /// Only what the program loader and fontconfig need: secrets in the environment are no business of a process that
  /// reads hostile files.
  private static func environment() -> [String: String] {
    let allowed: Set<String> = [
      "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
      "FONTCONFIG_FILE", "FONTCONFIG_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS",
    ]
    var environment = ChildProcess.inheritedEnvironment().filter { allowed.contains($0.key) }
    // A crash is an ordinary outcome here; the runtime's backtrace of it costs seconds.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    return environment
  }
}
