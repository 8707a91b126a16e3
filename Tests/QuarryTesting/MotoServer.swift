import ChildProcess
import Foundation

/// moto's server for S3, SQS, CloudWatch, Firehose and Secrets Manager; ends when it is released.
public final class MotoServer: Sendable {
  /// Where it answers.
  public let url: String
  private let child: ChildProcess

  /// A Python that has moto: the one of `make setup-test`, or the system's; nil when neither has it.
  public static let python: String? = PythonTools.python(with: "import moto.server, boto3")

  /// Starts a server of its own.
  public init() async throws {
    guard let python = Self.python else { throw CocoaError(.fileNoSuchFile) }
    // Port 0 gives a free port, which the server's log names.
    let script = """
      import sys, threading
      from werkzeug.serving import make_server
      from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
      server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
      threading.Thread(target=server.serve_forever, daemon=True).start()
      print("ready", server.server_port, flush=True)
      sys.stdin.read()
      """
    child = try ChildProcess.spawn(executable: python, arguments: ["-c", script], standardError: .discarded)
    var said = ""
    while !said.contains("\n"), let bytes = try await child.read() { said += String(decoding: bytes, as: UTF8.self) }
    guard let port = said.split(whereSeparator: \.isWhitespace).last.flatMap({ Int($0) }) else {
      throw CocoaError(.executableLoad)
    }
    url = "http://127.0.0.1:\(port)"
  }

  /// Runs Python with `boto3` and a function `client(service)` at hand; returns what it prints.
  public func boto(_ code: String) async throws -> String {
    guard let python = Self.python else { throw CocoaError(.fileNoSuchFile) }
    let preamble = """
      import boto3, json
      def client(service): return boto3.client(service, endpoint_url="\(url)", region_name="eu-central-1",
          aws_access_key_id="testing", aws_secret_access_key="testing")

      """
    let result = try await ChildProcess.run(
      executable: python, arguments: ["-c", preamble + code], deadline: .now + .seconds(120), outputLimit: 1 << 24)
    guard result.end.isSuccess else {
      throw PythonFailed(description: String(decoding: result.error, as: UTF8.self))
    }
    return String(decoding: result.output, as: UTF8.self)
  }
}

private struct PythonFailed: Error, CustomStringConvertible {
  let description: String
}
