import AWS
import Core
import LocalFiles

/// Original bytes wherever a library's documents are.
struct LibraryOriginals: DocumentBytes {
  let local: OriginalBytes
  let remote: RemoteParts

  func file(for version: ContentVersion, uri: SourceURI) async throws -> String {
    guard uri.rawValue.hasPrefix("s3://") else { return try await local.file(for: version, uri: uri) }
    return try await remote.originals().file(for: version, uri: uri)
  }
}
