import Answering
import Core
import Cryptography
import HTTPServer

extension API {
  /// Resolutions of page images, dots per inch.
  static let resolutions = 36...300
  /// The resolution unless the request says otherwise.
  static let defaultResolution = 110
  /// Longest quote to highlight, characters.
  private static let quoteLength = 2000

  /// `GET /v1/documents/{id}/pages/{page}`: text and boxes.
  func showPage(
    _ number: String, of id: String, _ parameters: QueryParameters, _ context: RequestContext
  ) async throws -> HTTPResponse {
    let number = try QueryParameters.integer(number, named: "page", in: 1...Int(Int32.max))
    let entry = try await entry(id, context)
    if let version = try version(parameters), version != entry.document.version { throw Self.textGone(entry) }
    return .json(PageBody(try await page(number, of: entry), document: entry.document.id))
  }

  /// `GET /v1/documents/{id}/pages/{page}.png`: the page as it looks, a place in it marked when asked.
  func drawPage(
    _ number: String, of id: String, _ parameters: QueryParameters, _ head: HTTPRequestHead, _ context: RequestContext
  ) async throws -> HTTPResponse {
    let number = try QueryParameters.integer(number, named: "page", in: 1...Int(Int32.max))
    let resolution = try parameters.integer("dpi", in: Self.resolutions) ?? Self.defaultResolution
    let place = try place(parameters)
    let version = try version(parameters)
    let entry = try await entry(id, context)
    let wanted = version ?? entry.document.version
    var highlights: [Box] = []
    if wanted == entry.document.version {
      let page = try await page(number, of: entry)
      highlights = try place.map { try Highlight.boxes(of: $0, on: page) } ?? []
    } else if place != nil {
      // The boxes at hand are those of the current version: marking another with them would mark the wrong words.
      throw Self.textGone(entry)
    }
    let tag = Self.entityTag(wanted, number, resolution, highlights)
    var headers: HTTPHeaders = [
      "ETag": tag, "Vary": "Authorization",
      // An address that names the version always shows the same; another may show a newer version.
      "Cache-Control": version == nil ? "private, no-cache" : "private, max-age=31536000, immutable",
    ]
    if head.headers.contains(tag, in: "If-None-Match") { return HTTPResponse(status: 304, headers: headers) }
    let path = try await parts.originals.file(for: wanted, uri: entry.document.uri)
    let png = try await parts.renderer.png(
      path: path, page: number, dotsPerInch: Double(resolution), highlights: highlights, passwords: parts.passwords)
    headers["Content-Type"] = "image/png"
    return HTTPResponse(status: 200, headers: headers, body: .bytes(png))
  }

  private func page(_ number: Int, of entry: CatalogueEntry) async throws -> Page {
    guard let page = try await parts.index.page(number, of: entry.document.id) else {
      throw HTTPAPIError(
        code: "page.not_found", category: .notFound,
        message: "\(entry.document.name) has no page \(number); it has \(entry.pageCount) "
          + (entry.pageCount == 1 ? "page" : "pages"), remedy: "Pages are counted from 1.")
    }
    return page
  }

  private func version(_ parameters: QueryParameters) throws -> ContentVersion? {
    guard let text = parameters.text("version") else { return nil }
    guard text.utf8.count == 64, [UInt8](text.utf8).allSatisfy({ Self.hexDigits.contains($0) }) else {
      throw HTTPAPIError(
        code: "request.invalid_parameter", category: .invalidInput, message: "'version' must be 64 hexadecimal digits",
        remedy: "Pass the version that the citation names.", field: "version")
    }
    return ContentVersion(rawValue: text)
  }

  private static let hexDigits = Set("0123456789abcdef".utf8)

  private func place(_ parameters: QueryParameters) throws -> Highlight.Place? {
    let start = try parameters.integer("start", in: 0...Int(Int32.max))
    let end = try parameters.integer("end", in: 1...Int(Int32.max))
    switch (parameters.text("quote"), start, end) {
    case (nil, nil, nil): return nil
    case (let quote?, nil, nil):
      guard quote.contains(where: { !$0.isWhitespace }), quote.unicodeScalars.count <= Self.quoteLength else {
        throw HTTPAPIError(
          code: "request.invalid_parameter", category: .invalidInput,
          message: "'quote' must have 1 to \(Self.quoteLength) characters, not only white space",
          remedy: "Pass the quote of a citation.", field: "quote")
      }
      return .quote(quote)
    case (nil, let start?, let end?) where start < end: return .range(start..<end)
    default:
      throw HTTPAPIError(
        code: "request.invalid_parameter", category: .invalidInput,
        message: "a place is a 'quote', or a 'start' and a greater 'end'", remedy: "Give one of the two.",
        field: start == nil ? "end" : "start")
    }
  }

  private static func textGone(_ entry: CatalogueEntry) -> HTTPAPIError {
    HTTPAPIError(
      code: "page.version_gone", category: .gone,
      message: "\(entry.document.name) has changed since; the text of that version is not kept",
      remedy: "Leave 'version' out to see the current one.", field: "version")
  }

  /// A strong tag over everything that the image follows from.
  private static func entityTag(_ version: ContentVersion, _ page: Int, _ resolution: Int, _ boxes: [Box]) -> String {
    let description =
      "\(version) \(page) \(resolution) \(boxes.map { "\($0.left) \($0.top) \($0.right) \($0.bottom)" })"
    return "\"" + SHA256.hash(Array(description.utf8)).hexadecimal.prefix(32) + "\""
  }
}
