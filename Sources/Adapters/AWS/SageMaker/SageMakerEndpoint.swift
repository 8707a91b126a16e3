import AWSSigning
import Core

/// An endpoint of SageMaker as calls name it.
///
/// Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and
/// API_runtime_InvokeEndpointWithResponseStream.html
public struct SageMakerEndpoint: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// The model's inference component, when the endpoint hosts several; else nil.
  public var inferenceComponent: String?
  /// Whether `accept_eula=true` is sent, without which some models of JumpStart answer nothing.
  public var acceptsEULA: Bool

  /// Creates an endpoint.
  public init(name: String, inferenceComponent: String? = nil, acceptsEULA: Bool = false) {
    self.name = name
    self.inferenceComponent = inferenceComponent
    self.acceptsEULA = acceptsEULA
  }

  /// For messages.
  var resource: String {
    "endpoint \(name)" + (inferenceComponent.map { ", inference component \($0)" } ?? "")
  }

  /// A call that answers at once.
  func call(_ body: [UInt8], contentType: String, accept: String = "application/json") -> AWSCall {
    AWSCall(
      .sageMaker, "InvokeEndpoint", on: resource,
      path: URIEncoding.path(segments: ["endpoints", name, "invocations"]),
      headers: [.init("Accept", accept)] + headers(contentType), body: body, timeout: .seconds(70))
  }

  /// A call that answers by a stream of parts.
  func streamingCall(_ body: [UInt8], accept: String) -> AWSCall {
    AWSCall(
      .sageMaker, "InvokeEndpointWithResponseStream", on: resource,
      path: URIEncoding.path(segments: ["endpoints", name, "invocations-response-stream"]),
      headers: [.init("X-Amzn-SageMaker-Accept", accept)] + headers("application/json"), body: body, timeout: nil,
      idleTimeout: .seconds(70))
  }

  private func headers(_ contentType: String) -> [SignableRequest.Field] {
    var headers = [SignableRequest.Field("Content-Type", contentType)]
    if let inferenceComponent {
      headers.append(.init("X-Amzn-SageMaker-Inference-Component", inferenceComponent))
    }
    if acceptsEULA { headers.append(.init("X-Amzn-SageMaker-Custom-Attributes", "accept_eula=true")) }
    return headers
  }

  /// What came was not of the dialect.
  func mismatch(_ key: String, dialect: String, answer: [UInt8], _ problem: String) -> AWSError {
    let came = String(decoding: answer.prefix(200), as: UTF8.self)
    return AWSError(
      "aws.dialect_mismatch", .conflict,
      "\(resource) does not answer as the dialect '\(dialect)' says: \(problem); it answered: \(came)",
      remedy: "Set \(key) to the dialect of the endpoint's container.")
  }
}
