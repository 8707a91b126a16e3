import Concurrency
import Foundation

/// A running `quarry` whose standard error is read as it comes.
final class RunningQuarry: Sendable {
  let process = Process()
  private let text = Locked("")

  init(_ arguments: [String], _ environment: [String: String]) throws {
    process.executableURL = buildFolder.appendingPathComponent("quarry")
    process.arguments = arguments
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardError = pipe
    pipe.fileHandleForReading.readabilityHandler = { [text] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil }
      text.withLock { $0 += String(decoding: data, as: UTF8.self) }
    }
    try process.run()
  }

  deinit { if process.isRunning { process.terminate() } }

  var said: String { text.withLock { $0 } }

  func count(_ message: String) -> Int { said.split(separator: "\n").count { $0.contains("\"\(message)\"") } }

  /// Waits until a message was logged that many times; the suite's time limit bounds it.
  func until(_ message: String, count: Int = 1) async throws {
    while self.count(message) < count {
      guard process.isRunning else { throw CocoaError(.executableLoad, userInfo: ["said": said]) }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  func stop() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
