import AWSSigning
import Concurrency
public import Core
import FoundationEssentials

/// Reads images of pages by Amazon Textract, one synchronous call a page: words with their boxes, by lines.
///
/// Source: https://docs.aws.amazon.com/textract/latest/dg/API_DetectDocumentText.html
public struct TextractRecognizer: TextRecognizer {
  /// The largest image it takes, bytes.
  static let maximumBytes = 10_485_760

  /// `Amazon Textract`; the service states its model's version only with each answer.
  public let name = "Amazon Textract"
  /// Nothing else bears on the text.
  public let settings = "DetectDocumentText"
  /// The service's own.
  public let limits = "service"
  private let client: AWSClient
  private let permits: AsyncSemaphore

  /// Creates a recognizer.
  /// - Parameter concurrency: Calls in flight at a time.
  public init(client: AWSClient, concurrency: Int) {
    self.client = client
    permits = AsyncSemaphore(width: max(1, concurrency))
  }

  /// Reads the words of an image.
  /// - Throws: `ocr.image_too_large`, `ocr.unreadable_output`; ``AWSError`` of the call; `CancellationError`.
  public func recognize(_ image: PageImage) async throws -> [RecognizedWord] {
    guard image.png.count <= Self.maximumBytes else {
      throw AWSError(
        "ocr.image_too_large", .tooLarge,
        "the image of \(image.name) has \(image.png.count >> 20) MiB, and Textract takes 10 MiB",
        remedy: "Lower ocr.resolution.")
    }
    let body = try JSONEncoder().encode(Request(document: .init(bytes: Data(image.png))))
    let answer = try await permits.withPermit {
      try await client.bytes(
        .json(.textract, "DetectDocumentText", on: image.name, target: "Textract", body: Array(body)))
    }
    guard let document = try? JSONDecoder().decode(TextractDocument.self, from: Data(answer)) else {
      throw AWSError(
        "ocr.unreadable_output", .unavailable, "Textract's answer for \(image.name) cannot be read",
        remedy: "Check that the endpoint is Textract's.")
    }
    return document.words
  }

  private struct Request: Encodable {
    struct Document: Encodable {
      var bytes: Data
      enum CodingKeys: String, CodingKey { case bytes = "Bytes" }
    }
    var document: Document
    enum CodingKeys: String, CodingKey { case document = "Document" }
  }
}
