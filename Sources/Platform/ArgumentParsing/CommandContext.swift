import Dispatch
import Glibc
import Synchronization

/// The streams and surroundings of a run; a test injects its own.
public struct CommandContext: Sendable {
  /// Writes a text as it is to standard output.
  public var output: @Sendable (String) -> Void
  /// Writes a text as it is to standard error.
  public var errorOutput: @Sendable (String) -> Void
  /// Reads standard input to its end; throws `input.failed` beyond the number of bytes given or for no UTF-8.
  public var input: @Sendable (_ maximumBytes: Int) async throws -> String
  /// Why output was lost, if it was.
  public var outputFailure: @Sendable () -> String?
  /// The environment.
  public var environment: [String: String]
  /// The columns of help and tables.
  public var width: Int
  /// Whether standard output is a terminal.
  public var outputIsTerminal: Bool
  /// Whether standard error is a terminal.
  public var errorIsTerminal: Bool
  /// Whether standard input is a terminal.
  public var inputIsTerminal: Bool
  /// The tool that runs; set by `main`.
  public internal(set) var tool: CommandLineTool?
  /// The words of the command that runs, without the program's name; set by `main`.
  public internal(set) var commandPath: [String] = []

  /// Creates a context; what is left out is silent, empty and no terminal.
  public init(
    output: @escaping @Sendable (String) -> Void = { _ in },
    errorOutput: @escaping @Sendable (String) -> Void = { _ in },
    input: @escaping @Sendable (Int) async throws -> String = { _ in "" },
    outputFailure: @escaping @Sendable () -> String? = { nil }, environment: [String: String] = [:],
    width: Int = 80, outputIsTerminal: Bool = false, errorIsTerminal: Bool = false, inputIsTerminal: Bool = false
  ) {
    self.output = output
    self.errorOutput = errorOutput
    self.input = input
    self.outputFailure = outputFailure
    self.environment = environment
    self.width = width
    self.outputIsTerminal = outputIsTerminal
    self.errorIsTerminal = errorIsTerminal
    self.inputIsTerminal = inputIsTerminal
  }

  /// Writes a line to standard output.
  public func print(_ line: String) { output(line + "\n") }

  /// Writes a line to standard error.
  public func printError(_ line: String) { errorOutput(line + "\n") }

  /// The process's own streams and environment.
  public static func standard() -> CommandContext {
    let failure = Failure()
    return CommandContext(
      output: { failure.note(write($0, to: STDOUT_FILENO)) },
      errorOutput: { _ = write($0, to: STDERR_FILENO) },
      input: { limit in
        try await withCheckedThrowingContinuation { continuation in
          // A private serial queue has a thread of its own, so a slow writer blocks nobody else.
          DispatchQueue(label: "standard-input").async {
            continuation.resume(with: Result { try readInput(atMost: limit) })
          }
        }
      },
      outputFailure: { failure.reason }, environment: processEnvironment(), width: terminalWidth(),
      outputIsTerminal: isatty(STDOUT_FILENO) == 1, errorIsTerminal: isatty(STDERR_FILENO) == 1,
      inputIsTerminal: isatty(STDIN_FILENO) == 1)
  }
}

/// The first error of writing output; a reader that left (EPIPE) is none.
private final class Failure: Sendable {
  private let number = Atomic<Int32>(0)

  func note(_ error: Int32) {
    if error == 0 || error == EPIPE { return }
    _ = number.compareExchange(expected: 0, desired: error, ordering: .relaxed)
  }

  var reason: String? {
    let error = number.load(ordering: .relaxed)
    return error == 0 ? nil : String(cString: strerror(error))
  }
}

/// Writes all of a text; returns 0 or the error number.
private func write(_ text: String, to descriptor: Int32) -> Int32 {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if count >= 0 {
      bytes = bytes.dropFirst(count)
    } else if errno == EAGAIN {
      // The terminal's descriptor may be non-blocking by another process's doing.
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&waiting, 1, -1)
    } else if errno != EINTR {
      return errno
    }
  }
  return 0
}

private func readInput(atMost limit: Int) throws(CommandLineError) -> String {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let count = read(STDIN_FILENO, &buffer, buffer.count)
    if count == 0 { break }
    if count < 0 {
      if errno == EINTR { continue }
      throw inputError(String(cString: strerror(errno)))
    }
    bytes += buffer.prefix(count)
    if bytes.count > limit { throw inputError("it is longer than \(limit) bytes") }
  }
  guard let text = String(validating: bytes, as: UTF8.self) else { throw inputError("it is no UTF-8 text") }
  return text
}

private func inputError(_ reason: String) -> CommandLineError {
  CommandLineError(
    code: "input.failed", message: "standard input cannot be used: \(reason)", remedy: "Give other input.")
}

private func processEnvironment() -> [String: String] {
  var result: [String: String] = [:]
  var entry = environ
  while let text = entry.pointee {
    let pair = String(cString: text)
    if let sign = pair.firstIndex(of: "=") {
      result[String(pair[..<sign])] = String(pair[pair.index(after: sign)...])
    }
    entry += 1
  }
  return result
}

/// The terminal's columns, else those of `COLUMNS`, else 80; between 40 and 120, beyond which lines read badly.
private func terminalWidth() -> Int {
  var size = winsize()
  var columns = 80
  if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
    columns = Int(size.ws_col)
  } else if let text = getenv("COLUMNS"), let number = Int(String(cString: text)) {
    columns = number
  }
  return min(max(columns, 40), 120)
}
