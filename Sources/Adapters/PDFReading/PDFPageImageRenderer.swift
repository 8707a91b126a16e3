import Concurrency
public import Core
import FoundationEssentials
import PDFPipe

/// Draws pages with Poppler and cairo, each in a `quarry-pdf-reader` process of its own.
public struct PDFPageImageRenderer: PageImageRenderer {
  private let configuration: PDFReaderConfiguration
  private let permits: AsyncSemaphore

  /// A renderer that draws at most `maxConcurrentRenders` pages at once; more wait.
  public init(configuration: PDFReaderConfiguration = PDFReaderConfiguration()) {
    self.configuration = configuration
    permits = AsyncSemaphore(width: max(1, configuration.maxConcurrentRenders))
  }

  /// Draws one page as PNG, highlights in translucent yellow. A page whose image would have more pixels than the
  /// limit is drawn at a lower resolution.
  /// - Throws: ``PDFReadingError``; `CancellationError`.
  public func png(
    path: String, page: Int, dotsPerInch: Double, highlights: [Box], passwords: [String]
  ) async throws -> [UInt8] {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard page >= 1, let index = UInt32(exactly: page - 1) else {
      throw PDFReadingError(.noSuchPage, "'\(name)' has no page \(page)", remedy: "Ask for a page of the document.")
    }
    return try await permits.withPermit {
      let conversation = try ReaderConversation(configuration: configuration, name: name)
      _ = try await conversation.open(path: path, passwords: passwords, limits: configuration.limits)
      let boxes = highlights.prefix(10_000).map {
        PipeRectangle(x: $0.left, y: $0.top, width: $0.width, height: $0.height)
      }
      try await conversation.send(
        .render(RenderRequest(page: index, dotsPerInch: Float(dotsPerInch), highlights: Array(boxes))))
      while true {
        switch try await conversation.nextReply() {
        case .image(let image): return image.png
        case .warning: continue
        default: throw await conversation.misbehaved("did not answer with an image")
        }
      }
    }
  }
}
