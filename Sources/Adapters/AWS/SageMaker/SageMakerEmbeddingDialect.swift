import Core
import Cryptography
import FoundationEssentials

/// How an endpoint's container is asked for embeddings, and where they stand in its answer.
///
/// Sources: the SageMaker examples for JumpStart text embedding (GPT-J), the Hugging Face inference toolkit's
/// feature-extraction pipeline, and text-embeddings-inference's `POST /` (https://huggingface.github.io/text-embeddings-inference/).
public enum SageMakerEmbeddingDialect: Sendable, Hashable {
  /// JumpStart's GPT-J: `{"text_inputs": […]}` → `{"embedding": [[…]]}`.
  case gptJ
  /// The same model asked with one text as `application/x-text`.
  case gptJText
  /// Feature extraction of Hugging Face: `{"inputs": …}` → lists of one to four levels, tokens pooled here.
  case huggingFace
  /// Text Embeddings Inference: `{"inputs": […], "truncate": false}` → `[[…]]`.
  case tei
  /// Another container: a JSON template with `{{text}}` or `{{texts}}`, and the path to the vectors.
  case custom(CustomEmbeddingDialect)

  /// Its name in the configuration.
  var name: String {
    switch self {
    case .gptJ: "gpt-j"
    case .gptJText: "gpt-j-text"
    case .huggingFace: "huggingface"
    case .tei: "tei"
    case .custom: "custom"
    }
  }

  /// The dimension of the model that a preset is for; nil where any model may be behind it.
  public var dimension: Int? {
    switch self {
    case .gptJ, .gptJText: 4_096
    case .huggingFace, .tei, .custom: nil
    }
  }

  /// Texts of one call. The toolkit of Hugging Face may pad texts that come together, and a pooled vector would depend
  /// on its neighbours: it gets them one by one.
  var defaultBatchSize: Int {
    switch self {
    case .gptJ: 8
    case .gptJText, .huggingFace: 1
    case .tei: 32
    case .custom(let custom): custom.takesMany ? 16 : 1
    }
  }

  /// Most texts of one call.
  var maximumBatchSize: Int {
    switch self {
    case .gptJText: 1
    case .custom(let custom): custom.takesMany ? 1_024 : 1
    case .gptJ, .huggingFace, .tei: 1_024
    }
  }

  /// Characters that fit: GPT-J takes 2,048 tokens; the usual models of the others 512, of which a character of
  /// ordinary text is no more than half. A container refuses what is longer.
  var defaultCharacterLimit: Int {
    switch self {
    case .gptJ, .gptJText: 4_000
    case .huggingFace, .tei, .custom: 1_000
    }
  }

  /// Whether token vectors may come, so that the pooling is part of the identity.
  var pools: Bool {
    switch self {
    case .huggingFace, .custom: true
    case .gptJ, .gptJText, .tei: false
    }
  }

  /// What of it changes vectors.
  var identity: String {
    guard case .custom(let custom) = self else { return name }
    return "custom-\(custom.digest)"
  }

  var contentType: String { self == .gptJText ? "application/x-text" : "application/json" }

  private struct TextInputs: Encodable { var text_inputs: [String] }
  private struct Inputs: Encodable {
    var inputs: [String]
    var truncate: Bool?
  }

  func body(_ texts: [String]) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    switch self {
    case .gptJ: return Array(try encoder.encode(TextInputs(text_inputs: texts)))
    case .gptJText: return Array(texts[0].utf8)
    case .huggingFace: return Array(try encoder.encode(Inputs(inputs: texts)))
    case .tei: return Array(try encoder.encode(Inputs(inputs: texts, truncate: false)))
    case .custom(let custom): return try custom.body(texts)
    }
  }

  /// The vectors of an answer; nil when it is not of this dialect.
  func vectors(_ answer: [UInt8], count: Int, pooling: TokenPooling) -> [[Float]]? {
    let path: JSONPath
    switch self {
    case .gptJ, .gptJText: path = JSONPath("embedding")!
    case .huggingFace, .tei: path = JSONPath("")!
    case .custom(let custom): path = custom.path
    }
    guard let found = try? path.values(of: NestedVectors.self, in: answer) else { return nil }
    let nested = path.isPlural ? NestedVectors.list(found) : found.first
    return nested?.vectors(of: count, pooling: pooling)
  }
}

/// A dialect of one's own.
public struct CustomEmbeddingDialect: Sendable, Hashable {
  private let template: RequestTemplate
  let path: JSONPath
  /// Of template and path: they decide over vectors.
  let digest: String

  /// Creates a dialect.
  /// - Parameters:
  ///   - responsePath: Where the vectors stand, such as `data[*].embedding`; empty for the whole answer.
  /// - Throws: `aws.template_invalid`, `aws.path_invalid`.
  public init(template: String, responsePath: String) throws {
    self.template = try RequestTemplate(
      template, key: "embedding.template", known: ["text", "texts"], required: ["text", "texts"])
    path = try JSONPath.parse(responsePath, key: "embedding.responsePath")
    digest = String(SHA256.hash("\(template.utf8.count):\(template)\(responsePath)").hexadecimal.prefix(12))
  }

  var takesMany: Bool { template.places.contains("texts") }

  func body(_ texts: [String]) throws -> [UInt8] {
    try template.body(["text": .text(texts[0]), "texts": .list(texts.map { .text($0) })])
  }
}

extension JSONPath {
  /// - Throws: `aws.path_invalid`, naming the key of the configuration.
  static func parse(_ text: String, key: String) throws -> JSONPath {
    guard let path = JSONPath(text) else {
      throw AWSError(
        "aws.path_invalid", .invalidConfiguration, "\(key) '\(text)' is no path",
        remedy: "Write keys and indexes, such as data[*].embedding or [0].generated_text.")
    }
    return path
  }
}
