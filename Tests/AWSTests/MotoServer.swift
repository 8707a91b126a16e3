import ChildProcess
import Concurrency
import Core
import Foundation
import HTTPClient
import QuarryTesting

@testable import AWS

/// moto's server for S3, SQS, CloudWatch, Firehose and Secrets Manager; ends when it is released.
final class MotoServer: Sendable {
  let url: String
  private let child: ChildProcess
  private let http = HTTPClient()

  /// A Python that has moto: the one of `make setup-test`, or the system's; nil when neither has it.
  static let python: String? = PythonTools.python(with: "import moto.server, boto3")

  init() async throws {
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

  func client(region: String = "eu-central-1") throws -> AWSClient {
    try AWSClient(
      environment: AWSEnvironment(variables: [
        "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_ENDPOINT_URL": url,
      ]), region: region, http: HTTPClient())
  }

  /// Runs Python with `boto3` and a function `client(service)` at hand; returns what it prints.
  func boto(_ code: String) async throws -> String {
    guard let python = Self.python else { throw CocoaError(.fileNoSuchFile) }
    let preamble = """
      import boto3, json
      def client(service): return boto3.client(service, endpoint_url="\(url)", region_name="eu-central-1",
          aws_access_key_id="testing", aws_secret_access_key="testing")

      """
    let result = try await ChildProcess.run(
      executable: python, arguments: ["-c", preamble + code], deadline: .now + .seconds(120), outputLimit: 1 << 24)
    guard result.end.isSuccess else {
      throw AWSError("test.boto", .internal, String(decoding: result.error, as: UTF8.self))
    }
    return String(decoding: result.output, as: UTF8.self)
  }
}
