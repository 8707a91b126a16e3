extension ChildProcess {
  /// What a program that ran to its end left behind.
  public struct Completed: Sendable, Hashable {
    /// How it ended.
    public let end: End
    /// All of its standard output.
    public let output: [UInt8]
    /// The last bytes of its standard error.
    public let error: [UInt8]
  }

  /// Runs a program from start to end: gives it `input`, then end of file, and collects what it writes.
  ///
  /// A program that stops reading early is no error. Cancelling the task kills the child's group.
  /// - Parameters:
  ///   - outputLimit: bytes of standard output; the child is killed when it writes more.
  ///   - errorLimit: the last bytes of standard error that are kept.
  /// - Throws: `ChildProcessError`; `CancellationError`.
  public static func run(
    executable: String, arguments: [String] = [], environment: [String: String] = inheritedEnvironment(),
    directory: String? = nil, limits: ProcessLimits = ProcessLimits(), deadline: ContinuousClock.Instant? = nil,
    input: [UInt8] = [], outputLimit: Int, errorLimit: Int = 16_384
  ) async throws -> Completed {
    let child = try spawn(
      executable: executable, arguments: arguments, environment: environment, directory: directory, limits: limits,
      deadline: deadline, standardError: .captured(limit: errorLimit))
    async let written: Void = child.feed(input)
    var output: [UInt8] = []
    for try await bytes in child.standardOutput {
      if output.count + bytes.count > outputLimit {
        child.kill()
        throw ChildProcessError(
          .outputTooLarge, "'\(executable)' wrote more than \(outputLimit) bytes",
          remedy: "Raise the limit or give it less to do.")
      }
      output += bytes
    }
    try await written
    let end = await child.end()
    try Task.checkCancellation()
    return Completed(end: end, output: output, error: child.capturedError)
  }

  private func feed(_ input: [UInt8]) async throws {
    do { try await write(input) } catch let error as ChildProcessError where error.code == .inputClosed {}
    await closeInput()
  }
}
