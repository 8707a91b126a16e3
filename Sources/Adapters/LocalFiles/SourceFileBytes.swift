import Concurrency
public import Core
import Glibc

/// Original bytes read again from where the document is, after checking that they are still the indexed version.
///
/// The check hashes the file once and remembers its stamp, so that showing page after page of one document does
/// not read it each time.
public final class SourceFileBytes: DocumentBytes {
  private let queue = BlockingQueue(label: "quarry.source-file-bytes")
  private let known = VerifiedFiles()

  /// Creates a reader of source files.
  public init() {}

  /// The path of the file when it still has exactly the bytes of `version`.
  /// - Throws: `document.bytes_gone` when the file is gone or has other bytes now.
  public func file(for version: ContentVersion, uri: SourceURI) async throws -> String {
    guard let path = uri.filePath else { throw Self.gone(uri, "its source is not a local file") }
    return try await queue.run { [known] () throws(LocalFilesError) in
      var status = stat()
      guard stat(path, &status) == 0 else { throw Self.gone(uri, String(cString: strerror(errno))) }
      guard try known.version(at: path, status) == version else {
        throw Self.gone(uri, "the file has other bytes now")
      }
      return path
    }
  }

  static func gone(_ uri: SourceURI, _ reason: String) -> LocalFilesError {
    LocalFilesError(
      "document.bytes_gone", .gone,
      "the indexed version of \(LocalFilesError.quoted(uri.name)) cannot be had any more: \(reason)",
      remedy: uri.isUpload ? "Upload the document again." : "Ingest the document again.")
  }
}

/// Original bytes wherever they are: those of uploads from their store, those of files from their place.
public struct OriginalBytes: DocumentBytes {
  private let uploads: any UploadStore
  private let files = SourceFileBytes()

  /// Finds uploads in `uploads`.
  public init(uploads: any UploadStore) { self.uploads = uploads }

  /// The path of a file with exactly the bytes of `version`.
  /// - Throws: `document.bytes_gone`; `upload.damaged`.
  public func file(for version: ContentVersion, uri: SourceURI) async throws -> String {
    uri.isUpload
      ? try await uploads.file(for: version, uri: uri) : try await files.file(for: version, uri: uri)
  }
}

/// Hashes of files, computed again only when a file's stamp has changed.
final class VerifiedFiles: Sendable {
  private let known = Locked<[String: (stamp: String, version: ContentVersion)]>([:])

  /// The hash of the file at `path`, whose state is `status`. Blocks.
  func version(at path: String, _ status: stat) throws(LocalFilesError) -> ContentVersion {
    let stamp = FileStamp.make(status)
    if let seen = known.withLock({ $0[path] }), seen.stamp == stamp { return seen.version }
    let hashed = try FileHash.compute(path: path)
    known.withLock { known in
      if known.count > 1000 { known.removeAll() }
      known[path] = (stamp, hashed.version)
    }
    return hashed.version
  }
}
