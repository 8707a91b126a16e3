import AWS
import Configuration

extension Settings {
  /// An endpoint of SageMaker.
  public struct Endpoint: Sendable {
    /// Its name; empty without one.
    public var name: String
    /// The model's inference component; nil where the endpoint has one model.
    public var inferenceComponent: String?
    /// Whether the model's licence is accepted with each call.
    public var acceptsEULA = false
  }

  /// How vectors of tokens become one.
  public enum Pooling: String, Sendable, CaseIterable {
    /// Their mean.
    case mean
    /// The first token's.
    case cls
  }

  /// How an endpoint's container is asked for embeddings.
  public struct EmbeddingDialect: Sendable {
    /// The presets.
    public enum Kind: String, Sendable, CaseIterable {
      /// JumpStart's GPT-J.
      case gptJ = "gpt-j"
      /// The same with plain text.
      case gptJText = "gpt-j-text"
      /// Feature extraction of Hugging Face.
      case huggingFace = "huggingface"
      /// Text Embeddings Inference.
      case tei
      /// By template and path.
      case custom
    }

    /// Which.
    public var kind: Kind
    /// The request of a custom one.
    public var template: String
    /// Where its vectors stand.
    public var responsePath: String
  }

  /// How an endpoint's container is asked for text.
  public struct TextDialect: Sendable {
    /// The presets.
    public enum Kind: String, Sendable, CaseIterable {
      /// Text Generation Inference.
      case tgi
      /// DJL's Large Model Inference.
      case djl
      /// JumpStart's Falcon.
      case falcon
      /// JumpStart's Flan-T5.
      case flanT5 = "flan-t5"
      /// By template and path.
      case custom
    }

    /// Which.
    public var kind: Kind
    /// The request of a custom one.
    public var template: String
    /// Where its text stands.
    public var responsePath: String
  }
}

extension Settings.Endpoint {
  init(_ reader: ConfigurationReader) {
    name = reader.optional("endpoint", .nonEmptyString, doc: "The name of an endpoint of SageMaker.") ?? ""
    inferenceComponent = reader.optional(
      "inferenceComponent", .nonEmptyString, doc: "The inference component, where an endpoint of SageMaker has several."
    )
  }

  /// As calls name it.
  var aws: SageMakerEndpoint {
    SageMakerEndpoint(name: name, inferenceComponent: inferenceComponent, acceptsEULA: acceptsEULA)
  }
}

extension Settings.EmbeddingDialect {
  init(_ reader: ConfigurationReader) {
    kind = reader.value(
      "dialect", .oneOf(), default: Kind.tei,
      doc:
        "How the endpoint's container is asked: `tei` (Text Embeddings Inference), `huggingface` (feature extraction), "
        + "`gpt-j` or `gpt-j-text` (JumpStart), or `custom`.")
    template =
      reader.optional(
        "template", .nonEmptyString,
        doc:
          "The request of a `custom` dialect: JSON with `\"{{text}}\"` where one text goes, or `\"{{texts}}\"` for the "
          + "list of several.") ?? ""
    responsePath =
      reader.optional(
        "responsePath", .nonEmptyString,
        doc: "Where the vectors stand in the answer of a `custom` dialect, such as `data[*].embedding`; by default the "
          + "whole answer.") ?? ""
    if kind == .custom {
      reader.checkDialect(template) { _ = try CustomEmbeddingDialect(template: template, responsePath: responsePath) }
    }
  }
}

extension Settings.TextDialect {
  init(_ reader: ConfigurationReader) {
    kind = reader.value(
      "dialect", .oneOf(), default: Kind.tgi,
      doc: "How the endpoint's container is asked: `tgi` (Text Generation Inference), `djl` (Large Model Inference), "
        + "`falcon` or `flan-t5` (JumpStart), or `custom`.")
    template =
      reader.optional(
        "template", .nonEmptyString,
        doc: "The request of a `custom` dialect: JSON with places such as `\"{{prompt}}\"`, `\"{{question}}\"`, "
          + "`\"{{system}}\"`, `\"{{max_tokens}}\"`, `\"{{temperature}}\"`, `\"{{top_p}}\"`, `\"{{top_k}}\"`, `\"{{stop}}\"` and "
          + "`\"{{frequency_penalty}}\"`.") ?? ""
    responsePath =
      reader.optional(
        "responsePath", .nonEmptyString,
        doc: "Where the text stands in the answer of a `custom` dialect, such as `[0].generated_text`.") ?? ""
    if kind == .custom {
      reader.checkDialect(template) { _ = try CustomTextDialect(template: template, responsePath: responsePath) }
    }
  }
}

extension ConfigurationReader {
  /// Reports what makes a custom dialect unusable.
  fileprivate func checkDialect(_ template: String, _ make: () throws -> Void) {
    guard !template.isEmpty else { return reject("template", "must be the request of the custom dialect") }
    do {
      try make()
    } catch let error as AWSError {
      reject(error.code == "aws.path_invalid" ? "responsePath" : "template", error.message)
    } catch {
      reject("template", "\(error)")
    }
  }
}

extension Settings.EmbeddingModel {
  /// - Throws: `aws.template_invalid`, `aws.path_invalid`.
  func sageMakerDialect() throws -> SageMakerEmbeddingDialect {
    switch dialect.kind {
    case .gptJ: .gptJ
    case .gptJText: .gptJText
    case .huggingFace: .huggingFace
    case .tei: .tei
    case .custom:
      .custom(try CustomEmbeddingDialect(template: dialect.template, responsePath: dialect.responsePath))
    }
  }
}

extension Settings.Generation {
  /// - Throws: `aws.template_invalid`, `aws.path_invalid`.
  func sageMakerDialect() throws -> SageMakerTextDialect {
    switch dialect.kind {
    case .tgi: .tgi
    case .djl: .djl
    case .falcon: .falcon
    case .flanT5: .flanT5
    case .custom: .custom(try CustomTextDialect(template: dialect.template, responsePath: dialect.responsePath))
    }
  }
}
