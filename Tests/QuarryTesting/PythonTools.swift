import Foundation

/// The Python that tests start servers and oracles with.
public enum PythonTools {
  /// The first interpreter in which `statement` runs: that of `QUARRY_PYTHON`, of `make setup-test`, or the system's;
  /// nil when it runs in none.
  public static func python(with statement: String) -> String? {
    let own = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../.venv/bin/python"
    for candidate in [ProcessInfo.processInfo.environment["QUARRY_PYTHON"], own, "/usr/bin/python3"] {
      guard let candidate, FileManager.default.isExecutableFile(atPath: candidate) else { continue }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: candidate)
      process.arguments = ["-c", statement]
      process.standardError = FileHandle.nullDevice
      guard (try? process.run()) != nil else { continue }
      process.waitUntilExit()
      if process.terminationStatus == 0 { return candidate }
    }
    return nil
  }
}
