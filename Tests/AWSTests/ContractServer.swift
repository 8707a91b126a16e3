import ChildProcess
import Concurrency
import Foundation
import HTTPClient
import QuarryTesting

@testable import AWS

/// The Python server that answers as botocore's models of Bedrock, SageMaker, Textract and Firehose say; ends when it
/// is released.
final class ContractServer: Sendable {
  let url: String
  private let child: ChildProcess
  private let http = HTTPClient()

  /// A Python that has botocore: the one of `make setup-check`, or the system's; nil when neither has it.
  static let python: String? = PythonTools.python(with: "import botocore")

  init() async throws {
    guard let python = Self.python else { throw CocoaError(.fileNoSuchFile) }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Contract/contract_server.py"
    child = try ChildProcess.spawn(executable: python, arguments: [script])
    var said = ""
    while !said.contains("\n"), let bytes = try await child.read() { said += String(decoding: bytes, as: UTF8.self) }
    guard let port = said.split(whereSeparator: \.isWhitespace).last.flatMap({ Int($0) }) else {
      throw CocoaError(.executableLoad)
    }
    url = "http://127.0.0.1:\(port)"
  }

  /// A client with the credentials that the server knows.
  func client(
    secret: String = "contract-secret", attempts: Int = 5,
    onSetback: @escaping @Sendable (AWSClient.Setback) -> Void = { _ in }
  ) throws -> AWSClient {
    try AWSClient(
      environment: AWSEnvironment(variables: [
        "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "AKIDCONTRACT", "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": "tok/en+=", "AWS_ENDPOINT_URL": url,
      ]), region: "eu-central-1", http: HTTPClient(),
      policy: RetryPolicy(maximumAttempts: attempts, baseDelay: .milliseconds(2)), onSetback: onSetback)
  }

  /// What the next calls meet, in order; see the script. Forgets the calls so far.
  func setFaults(_ json: String = "[]") async throws {
    let response = try await http.execute(
      HTTPClientRequest(method: "POST", url: url + "/-/faults", body: Array(json.utf8)))
    _ = try await response.body.collect(upTo: 1 << 20)
  }

  struct Record: Decodable {
    var calls: [String]
    var texts: [String]
    var prompts: [String]
    var most: Int
    var records: [String]
  }

  /// The calls that were answered.
  func record() async throws -> Record {
    let response = try await http.execute(HTTPClientRequest(url: url + "/-/calls"))
    return try JSONDecoder().decode(Record.self, from: Data(try await response.body.collect(upTo: 64 << 20)))
  }
}
