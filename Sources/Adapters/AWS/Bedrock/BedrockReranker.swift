import AWSSigning
public import Core
import FoundationEssentials

/// Rerankers of Amazon Bedrock: `cohere.rerank-v3-5:0`, `amazon.rerank-v1:0`.
///
/// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html
public struct BedrockReranker: Reranker {
  /// Most passages of one call.
  public static let largestRequest = 1_000
  /// Most Unicode scalars of a text; what is longer is cut.
  static let longestText = 32_000

  /// `bedrock:` and the model.
  public let name: String
  private let client: AWSClient
  private let model: String
  private let modelARN: String

  /// Creates a reranker.
  /// - Parameter model: A model's id, or its ARN.
  public init(client: AWSClient, model: String) {
    self.client = client
    self.model = model
    name = "bedrock:\(model)"
    modelARN =
      model.hasPrefix("arn:")
      ? model : "arn:\(Self.partition(of: client.region)):bedrock:\(client.region)::foundation-model/\(model)"
  }

  /// The passages, best first, at most `limit`.
  /// - Throws: ``AWSError``; `aws.answer_malformed` when the answer names passages that were not sent.
  public func rerank(_ passages: [Passage], for question: String, limit: Int) async throws -> [Passage] {
    let sent = Array(passages.prefix(Self.largestRequest))
    guard !sent.isEmpty, limit > 0 else { return [] }
    var request = Request(
      queries: [.init(textQuery: .init(text: Self.text(question)))],
      sources: sent.map {
        .init(inlineDocumentSource: .init(textDocument: .init(text: Self.text($0.chunk.embeddedText))))
      },
      rerankingConfiguration: .init(
        bedrockRerankingConfiguration: .init(
          modelConfiguration: .init(modelArn: modelARN), numberOfResults: min(limit, sent.count))))
    var results: [Response.Result] = []
    repeat {
      let page = try await ask(request)
      guard !page.results.isEmpty else { break }
      results += page.results
      request.nextToken = page.nextToken
    } while request.nextToken != nil && results.count < min(limit, sent.count)
    return try ordered(sent, by: results, limit: limit)
  }

  private func ordered(_ passages: [Passage], by results: [Response.Result], limit: Int) throws -> [Passage] {
    guard !results.isEmpty, results.allSatisfy({ passages.indices.contains($0.index) && $0.relevanceScore.isFinite }),
      Set(results.map(\.index)).count == results.count
    else {
      throw AWSError(
        "aws.answer_malformed", .unavailable,
        "reranker \(model) answers \(results.count) results that do not fit the "
          + "\(passages.count) passages sent", remedy: "Check that the id is of a reranker.")
    }
    return results.sorted { ($0.relevanceScore, $1.index) > ($1.relevanceScore, $0.index) }.prefix(limit).enumerated()
      .map { place, result in
        var passage = passages[result.index]
        passage.rank = place + 1
        passage.rerankScore = result.relevanceScore
        return passage
      }
  }

  private func ask(_ request: Request) async throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let answer = try await client.bytes(
      AWSCall(
        .bedrockAgent, "Rerank", on: "model \(model)", path: "/rerank",
        headers: [.init("Content-Type", "application/json"), .init("Accept", "application/json")],
        body: Array(try encoder.encode(request))))
    do {
      return try JSONDecoder().decode(Response.self, from: Data(answer))
    } catch {
      throw AWSError(
        "aws.answer_malformed", .unavailable, "reranker \(model) answers in no form that is known",
        remedy: "Check that the id is of a reranker.", underlying: error)
    }
  }

  /// A text within the service's limits, which does not take an empty one.
  private static func text(_ text: String) -> String {
    let cut = String(String.UnicodeScalarView(text.unicodeScalars.prefix(longestText)))
    return cut.isEmpty ? " " : cut
  }

  private static func partition(of region: String) -> String {
    if region.hasPrefix("cn-") { return "aws-cn" }
    return region.hasPrefix("us-gov-") ? "aws-us-gov" : "aws"
  }

  // MARK: - Bodies

  private struct Request: Encodable {
    struct Text: Encodable { var text: String }
    struct Query: Encodable {
      var type = "TEXT"
      var textQuery: Text
    }
    struct Document: Encodable {
      var type = "TEXT"
      var textDocument: Text
    }
    struct Source: Encodable {
      var type = "INLINE"
      var inlineDocumentSource: Document
    }
    struct Model: Encodable { var modelArn: String }
    struct Bedrock: Encodable {
      var modelConfiguration: Model
      var numberOfResults: Int
    }
    struct Configuration: Encodable {
      var type = "BEDROCK_RERANKING_MODEL"
      var bedrockRerankingConfiguration: Bedrock
    }
    var queries: [Query]
    var sources: [Source]
    var rerankingConfiguration: Configuration
    var nextToken: String?
  }

  private struct Response: Decodable {
    struct Result: Decodable {
      var index: Int
      var relevanceScore: Double
    }
    var results: [Result]
    var nextToken: String?
  }
}
