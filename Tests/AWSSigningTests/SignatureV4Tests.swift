import AWSSigning
import Foundation
import Testing

@Suite struct SignatureV4Tests {
  static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

  // MARK: - The published suite

  struct Vector: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var request: String
    var canonical: String
    var stringToSign: String
    var authorization: String
    var token: String?
    var testDescription: String { name }
  }

  static let vectors: [Vector] = read("aws4")

  @Test func hasAllVectors() { #expect(Self.vectors.count == 34) }

  @Test(arguments: vectors)
  func reproducesThePublishedVector(_ vector: Vector) throws {
    var signer = SignatureV4(service: "service", region: "us-east-1")
    signer.sendsPayloadHash = false
    let signed = signer.sign(
      try Self.request(vector.request),
      credentials: AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: Self.secret, sessionToken: vector.token),
      date: Date(timeIntervalSince1970: 1_440_938_160))
    #expect(signed.canonicalRequest == vector.canonical)
    #expect(signed.stringToSign == vector.stringToSign)
    #expect(signed.headers.last?.value == vector.authorization)
  }

  /// Reads the suite's `.req` format: an HTTP request whose target is not encoded and whose headers may be folded.
  static func request(_ text: String) throws -> SignableRequest {
    let parts = text.components(separatedBy: "\n\n")
    var lines = parts[0].components(separatedBy: "\n").filter { !$0.isEmpty }
    let start = lines.removeFirst()
    let method = String(start.prefix { $0 != " " })
    let target = start.dropFirst(method.count + 1).dropLast(" HTTP/1.1".count)
    let path = String(target.prefix { $0 != "?" })
    let query = target.dropFirst(path.count + 1).split(separator: "&").map { pair in
      let name = pair.prefix { $0 != "=" }
      return SignableRequest.Field(
        String(name).removingPercentEncoding ?? String(name),
        String(pair.dropFirst(name.count + 1)).removingPercentEncoding ?? "")
    }
    var headers: [SignableRequest.Field] = []
    for line in lines {
      if line.hasPrefix(" ") {
        headers[headers.count - 1].value += line
      } else {
        let name = line.prefix { $0 != ":" }
        headers.append(.init(String(name), String(line.dropFirst(name.count + 1))))
      }
    }
    let host = try #require(headers.first { $0.name.lowercased() == "host" }).value
    return SignableRequest(
      method: method, host: host, path: path, query: query, headers: headers,
      payload: .bytes(Array(parts.dropFirst().joined(separator: "\n\n").utf8)))
  }

  // MARK: - botocore

  struct Expectations: Decodable, Sendable {
    var time: Double
    var requests: [Expectation]
    var presigned: [Presigned]
  }
  struct Expectation: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var service: String
    var method: String
    var host: String
    var path: String
    var query: [[String]]
    var headers: [[String]]
    var body: String
    var token: String?
    var authorization: String
    var testDescription: String { name }
  }
  struct Presigned: Decodable, Sendable {
    var token: String?
    var url: String
  }

  static let expectations: Expectations = read("botocore")

  @Test(arguments: expectations.requests)
  func signsAsBotocoreDoes(_ expected: Expectation) throws {
    let signed = SignatureV4(service: expected.service, region: "eu-central-1").sign(
      SignableRequest(
        method: expected.method, host: expected.host, path: expected.path,
        query: expected.query.map { .init($0[0], $0[1]) }, headers: expected.headers.map { .init($0[0], $0[1]) },
        payload: .bytes(Array(expected.body.utf8))),
      credentials: AWSCredentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: Self.secret, sessionToken: expected.token),
      date: Date(timeIntervalSince1970: Self.expectations.time))
    #expect(signed.headers.last?.value == expected.authorization)
    #expect(signed.target.hasPrefix(expected.path))
  }

  @Test(arguments: expectations.presigned)
  func presignsAsBotocoreDoes(_ expected: Presigned) throws {
    let target = SignatureV4(service: "s3", region: "eu-central-1").presign(
      SignableRequest(
        method: "GET", host: "bucket.s3.eu-central-1.amazonaws.com", path: "/a%20b.pdf",
        query: [.init("versionId", "1/2")]),
      credentials: AWSCredentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: Self.secret, sessionToken: expected.token),
      date: Date(timeIntervalSince1970: Self.expectations.time), seconds: 900)
    let ours = try #require(URLComponents(string: "https://bucket.s3.eu-central-1.amazonaws.com" + target))
    let theirs = try #require(URLComponents(string: expected.url))
    #expect(ours.path == theirs.path)
    let items = { (url: URLComponents) in Set((url.queryItems ?? []).map { "\($0.name)=\($0.value ?? "")" }) }
    #expect(items(ours) == items(theirs))
  }

  // MARK: - Rules

  @Test func sendsExactlyTheQueryItSigned() {
    let signed = SignatureV4(service: "es", region: "r").sign(
      SignableRequest(
        method: "GET", host: "h", path: "/", query: [.init("b", "ü &"), .init("a-", "1"), .init("a", "")]),
      credentials: AWSCredentials(accessKeyID: "A", secretAccessKey: "S"), date: Date(timeIntervalSince1970: 0))
    #expect(signed.target == "/?a=&a-=1&b=%C3%BC%20%26")
  }

  @Test func replacesAnEarlierSignaturesHeaders() {
    let signer = SignatureV4(service: "s3", region: "r")
    let credentials = AWSCredentials(accessKeyID: "A", secretAccessKey: "S", sessionToken: "T")
    let request = SignableRequest(method: "GET", host: "h", path: "/", headers: [.init("X-Note", "1")])
    let first = signer.sign(request, credentials: credentials, date: Date(timeIntervalSince1970: 0))
    var again = request
    again.headers = first.headers.filter { $0.name != "Authorization" }
    let second = signer.sign(again, credentials: credentials, date: Date(timeIntervalSince1970: 86_400))
    let fresh = signer.sign(request, credentials: credentials, date: Date(timeIntervalSince1970: 86_400))
    #expect(Set(second.headers) == Set(fresh.headers))
  }

  @Test func showsNoSecret_howeverItIsPrinted() {
    let credentials = AWSCredentials(accessKeyID: "AKID", secretAccessKey: "hidden1", sessionToken: "hidden2")
    var dumped = ""
    dump([credentials], to: &dumped)
    for text in ["\(credentials)", String(reflecting: credentials), dumped] {
      #expect(!text.contains("hidden"))
      #expect(text.contains("AKID"))
    }
  }

  private static func read<Value: Decodable>(_ name: String) -> Value {
    do {
      guard let url = Bundle.module.url(forResource: name, withExtension: "json") else {
        throw CocoaError(.fileNoSuchFile)
      }
      return try JSONDecoder().decode(Value.self, from: Data(contentsOf: url))
    } catch {
      fatalError("the committed vectors '\(name)' cannot be read: \(error)")
    }
  }
}
