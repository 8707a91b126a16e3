import ChildProcess
import Concurrency
import Foundation
import Testing

private func shell(
  _ script: String, limits: ProcessLimits = ProcessLimits(), deadline: ContinuousClock.Instant? = nil,
  standardError: ChildProcess.StandardError = .discarded
) throws -> ChildProcess {
  try ChildProcess.spawn(
    executable: "/bin/sh", arguments: ["-c", script], limits: limits, deadline: deadline, standardError: standardError)
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

private func allOutput(of child: ChildProcess) async throws -> [UInt8] {
  var all: [UInt8] = []
  for try await bytes in child.standardOutput { all += bytes }
  return all
}

private func isAlive(_ processID: Int32) -> Bool {
  // A zombie (killed, its new parent has not collected it yet) counts as dead.
  guard let status = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8) else { return false }
  return !status.contains(") Z ")
}

private func eventuallyDead(_ processID: Int32) async throws -> Bool {
  for _ in 0..<500 where isAlive(processID) { try await Task.sleep(for: .milliseconds(10)) }
  return !isAlive(processID)
}

@Suite(.timeLimit(.minutes(1))) struct ChildProcessEndTests {
  @Test(arguments: [0, 1, 7, 255] as [Int32]) func reportsTheExitCode(code: Int32) async throws {
    let end = try await shell("exit \(code)").end()
    #expect(end.status == .exited(code) && end.killCause == nil)
    #expect(end.isSuccess == (code == 0))
  }

  @Test func reportsTheSignal_whenTheChildDiesOfOne() async throws {
    let end = try await shell("kill -SEGV $$").end()
    #expect(end.status == .signalled(SIGSEGV) && end.killCause == nil && !end.isSuccess)
  }

  @Test func reportsTheSameEndToAll_andAfterwards() async throws {
    let child = try shell("exit 3")
    async let first = child.end()
    async let second = child.end()
    #expect(await first == second)
    #expect(await child.end().status == .exited(3))
    #expect(!child.send(.terminate))
    child.kill()
  }

  @Test func measuresProcessorTimeAndMemory() async throws {
    let child = try shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
    let end = await child.end()
    #expect(end.userTime + end.systemTime > .milliseconds(5))
    #expect(end.peakResidentBytes > 500_000)
  }

  @Test func restoresSignalsForTheChild_whateverTheParentIgnores() async throws {
    signal(SIGPIPE, SIG_IGN)
    let output = try await ChildProcess.run(
      executable: "/bin/grep", arguments: ["-E", "^Sig(Ign|Blk)", "/proc/self/status"], outputLimit: 1000
    ).output
    let masks = text(output).split(separator: "\n").compactMap { UInt64($0.split(separator: "\t")[1], radix: 16) }
    // Signals 32 and 33 are glibc's own: posix_spawn leaves them ignored.
    #expect(masks.map { $0 & ~0x1_8000_0000 } == [0, 0])
  }

  @Test func sendsASignalToTheChild() async throws {
    let child = try shell("trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done")
    #expect(try await child.read() == Array("ready\n".utf8))
    #expect(child.send(.terminate))
    #expect(await child.end().status == .exited(9))
  }
}

@Suite(.timeLimit(.minutes(1))) struct ChildProcessKillTests {
  /// A child with a grandchild, both of which would sleep; the grandchild's number.
  private func family() async throws -> (ChildProcess, grandchild: Int32) {
    let child = try shell("sleep 600 & echo $!; wait")
    let line = text(try await child.read() ?? []).trimmingCharacters(in: .newlines)
    return (child, try #require(Int32(line)))
  }

  @Test func killsTheWholeGroup_whenTheDeadlineComes() async throws {
    // On a busy machine the first deadline may come before the child has spoken.
    for milliseconds in [200, 1000, 5000, 20_000] {
      let child = try shell("sleep 600 & echo $!; wait", deadline: .now + .milliseconds(milliseconds))
      guard let line = try await child.read() else { continue }
      let grandchild = try #require(Int32(text(line).trimmingCharacters(in: .newlines)))
      let end = await child.end()
      #expect(end.status == .signalled(SIGKILL) && end.killCause == .deadline)
      #expect(try await eventuallyDead(grandchild))
      #expect(try await child.read() == nil)
      return
    }
    Issue.record("no child spoke before its deadline")
  }

  @Test func killsTheWholeGroup_whenTheWaitingTaskIsCancelled() async throws {
    let (child, grandchild) = try await family()
    let waiting = Task { await child.end() }
    waiting.cancel()
    #expect(await waiting.value.killCause == .cancellation)
    #expect(try await eventuallyDead(grandchild))
  }

  @Test func killsTheChild_whenAReaderIsCancelled() async throws {
    let (child, _) = try await family()
    let reading = Task { try await child.read() }
    try await Task.sleep(for: .milliseconds(20))
    reading.cancel()
    await #expect(throws: CancellationError.self) { try await reading.value }
    // Cancelled before its first step, the reader has not touched the child.
    child.kill()
    #expect(await child.end().status == .signalled(SIGKILL))
  }

  @Test func killsDescendants_whenTheLeaderEnds() async throws {
    let child = try shell("sleep 600 & echo $!")
    let grandchild = try #require(Int32(text(try await child.read() ?? []).trimmingCharacters(in: .newlines)))
    #expect(await child.end().status == .exited(0))
    #expect(try await eventuallyDead(grandchild))
    #expect(try await child.read() == nil)
  }

  @Test func killsTheChild_whenReleased() async throws {
    var child: ChildProcess? = try shell("sleep 600")
    let processID = try #require(child?.processID)
    #expect(isAlive(processID))
    child = nil
    #expect(try await eventuallyDead(processID))
  }

  @Test func endsTheOutput_whenADescendantThatLeftTheGroupHoldsThePipe() async throws {
    // Longer than the time limit of the test.
    let child = try shell("setsid sleep 100 & echo $!")
    let escaped = try #require(Int32(text(try await allOutput(of: child)).trimmingCharacters(in: .newlines)))
    kill(escaped, SIGKILL)
    #expect(await child.end().isSuccess)
  }

  @Test func killsAtOnce_whenTheDeadlineHasPassed() async throws {
    let end = try await shell("sleep 600", deadline: .now - .seconds(1)).end()
    #expect(end.killCause == .deadline)
  }
}

@Suite(.timeLimit(.minutes(1))) struct ChildProcessPipeTests {
  @Test func carriesMoreThanThePipesHold_inBothDirections() async throws {
    let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let done = try await ChildProcess.run(executable: "/bin/cat", input: input, outputLimit: 4_000_000)
    #expect(done.output == input)
    #expect(done.end.isSuccess)
  }

  @Test func holdsTheChildBack_whenNobodyReads() async throws {
    // The child reports on standard error after each 64 KiB block how far it got.
    let child = try shell(
      "i=0; while [ $i -lt 64 ]; do head -c 65536 /dev/zero; i=$((i+1)); printf x >&2; done",
      standardError: .captured(limit: 1000))
    try await Task.sleep(for: .milliseconds(200))
    #expect(child.capturedError.count < 16)
    #expect(try await allOutput(of: child).count == 64 * 65_536)
    _ = await child.end()
    #expect(child.capturedError.count == 64)
  }

  @Test func tellsTheChildTheEndOfInput() async throws {
    let child = try ChildProcess.spawn(executable: "/usr/bin/sort")
    try await child.write(Array("b\n".utf8))
    try await child.write(Array("a\n".utf8))
    try await child.write([])
    await child.closeInput()
    #expect(text(try await allOutput(of: child)) == "a\nb\n")
    await #expect(throws: ChildProcessError.self) { try await child.write([1]) }
  }

  @Test func failsWithInputClosed_whenTheChildReadsNoMore() async throws {
    let child = try shell("exec 0<&-; sleep 600")
    let error = await #expect(throws: ChildProcessError.self) {
      try await child.write([UInt8](repeating: 1, count: 1_000_000))
    }
    #expect(error?.code == .inputClosed)
  }

  @Test func failsWithInputClosed_whenTheChildHasEnded() async throws {
    let child = try shell("exit 0")
    _ = await child.end()
    let error = await #expect(throws: ChildProcessError.self) { try await child.write([1]) }
    #expect(error?.code == .inputClosed)
  }

  @Test func keepsTheLastOfStandardError() async throws {
    let done = try await ChildProcess.run(
      executable: "/bin/sh", arguments: ["-c", "head -c 300000 /dev/zero >&2; printf end >&2"], outputLimit: 10,
      errorLimit: 8)
    #expect(done.error == [0, 0, 0, 0, 0] + Array("end".utf8))
  }

  @Test func killsTheChild_whenItWritesTooMuch() async throws {
    let error = await #expect(throws: ChildProcessError.self) {
      try await ChildProcess.run(executable: "/bin/cat", arguments: ["/dev/zero"], outputLimit: 1_000_000)
    }
    #expect(error?.code == .outputTooLarge)
  }
}

@Suite(.timeLimit(.minutes(1)), .serialized) struct ChildProcessSpawnTests {
  @Test func failsWithExecutableMissing_whenThereIsNone() {
    let error = #expect(throws: ChildProcessError.self) { try ChildProcess.spawn(executable: "/no/such/program") }
    #expect(error?.code == .executableMissing)
    #expect(error?.message.contains("/no/such/program") == true)
  }

  @Test func failsWithNotExecutable_whenTheFileIsNoProgram() {
    let error = #expect(throws: ChildProcessError.self) { try ChildProcess.spawn(executable: "/etc/passwd") }
    #expect(error?.code == .notExecutable)
  }

  @Test func failsWithSpawnFailed_whenTheDirectoryIsMissing() {
    let error = #expect(throws: ChildProcessError.self) {
      try ChildProcess.spawn(executable: "/bin/true", directory: "/no/such/folder")
    }
    #expect(error?.code == .spawnFailed)
    #expect(error?.message.contains("/no/such/folder") == true)
  }

  @Test func failsWithInvalidArgument_whenTextHasNUL() {
    for arguments in [["a\0b"], ["\0"]] {
      let error = #expect(throws: ChildProcessError.self) {
        try ChildProcess.spawn(executable: "/bin/echo", arguments: arguments)
      }
      #expect(error?.code == .invalidArgument)
    }
    #expect(throws: ChildProcessError.self) {
      try ChildProcess.spawn(executable: "/bin/echo", environment: ["A=B": "c"])
    }
  }

  @Test func passesArgumentsEnvironmentAndDirectory() async throws {
    let done = try await ChildProcess.run(
      executable: "/bin/sh", arguments: ["-c", #"echo "$1|$GREETING|$(pwd)"; env | wc -l"#, "sh", "ü x"],
      environment: ["GREETING": "a=b", "PATH": "/bin:/usr/bin"], directory: "/usr", outputLimit: 1000)
    #expect(text(done.output).hasPrefix("ü x|a=b|/usr\n"))
  }

  @Test func findsExecutablesInTheSearchPath() {
    #expect(ChildProcess.locate("sh", searchPath: "/no/such:/bin") == "/bin/sh")
    #expect(ChildProcess.locate("no-such-program") == nil)
    #expect(ChildProcess.locate("/bin/sh") == "/bin/sh")
  }

  @Test func appliesLimits() async throws {
    let limits = ProcessLimits(
      addressSpace: 512 << 20, cpuSeconds: 77, fileSize: 4 << 20, openFiles: 99, coreSize: 0)
    let child = try shell("exec cat /proc/self/limits", limits: limits)
    let lines = text(try await allOutput(of: child)).split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    func limit(_ name: String) -> [String] {
      let words = name.split(separator: " ").map(String.init)
      return lines.first { Array($0.prefix(words.count)) == words }.map { Array($0.dropFirst(words.count).prefix(2)) }
        ?? []
    }
    #expect(limit("Max address space") == ["536870912", "536870912"])
    #expect(limit("Max cpu time") == ["77", "78"])
    #expect(limit("Max file size") == ["4194304", "4194304"])
    #expect(limit("Max open files") == ["99", "99"])
    #expect(limit("Max core file size") == ["0", "0"])
  }

  /// A child of the child inherits what holds when it is made, so limits that come late would miss it.
  @Test func limitsHoldForTheFirstThingAChildStarts() async throws {
    let starts = 200
    let limited = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<starts {
        group.addTask {
          let done = try await ChildProcess.run(
            executable: "/bin/sh", arguments: ["-c", "(ulimit -f); :"], limits: ProcessLimits(fileSize: 51_200),
            outputLimit: 1000)
          return text(done.output) == "100\n"
        }
      }
      return try await group.reduce(into: [Bool]()) { $0.append($1) }
    }
    #expect(limited.count { $0 } == starts)
  }

  @Test func endsAHungryChild_byItsProcessorLimit() async throws {
    let end = try await shell("while :; do :; done", limits: ProcessLimits(cpuSeconds: 1)).end()
    #expect(end.status == .signalled(SIGXCPU) && end.killCause == nil)
  }

  @Test func leaksNoDescriptor_acrossManyChildren() async throws {
    let standardOnly = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<64 {
        group.addTask {
          // The listing itself holds one more.
          let done = try await ChildProcess.run(
            executable: "/bin/ls", arguments: ["/proc/self/fd"], outputLimit: 1000)
          return text(done.output) == "0\n1\n2\n3\n"
        }
      }
      return try await group.reduce(into: [Bool]()) { $0.append($1) }
    }
    #expect(standardOnly == Array(repeating: true, count: 64))
    // Descriptors close when the last event of a child has been handled, a moment after its end.
    func ours() -> [String] {
      let folder = "/proc/self/fd"
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
        .filter { $0.contains("pipe:") || $0.contains("pidfd") }
    }
    // Other suites of this process run children of their own, a handful at a time.
    for _ in 0..<500 where ours().count > 40 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(ours().count <= 40)
  }
}
