import Core
import Foundation
import HTTPAPI
import Ingestion
import QuarryTesting
import Testing

@Suite struct UploadRouteTests {
  private static let board = CollectionName(rawValue: "board")

  private func poll(_ isTrue: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !isTrue() {
      guard ContinuousClock.now < end else {
        Issue.record("it did not happen within 20 seconds")
        return
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  @Test func keepsTheBytes_queuesThem_andSaysWhereToLook() async throws {
    try await withAPI { api in
      let reply = try await api.upload("/v1/documents?name=report.pdf")
      #expect(reply.status == 202)
      #expect(reply.json["outcome"]?.text == "queued")
      #expect(reply.json["uri"]?.text == "upload://default/report.pdf")
      #expect(reply.json["byte_count"] == .number(18))
      let id = try #require(reply.json["id"]?.text)
      #expect(reply.headers["location"] == "/v1/documents/\(id)")
      #expect(reply.json["status_url"]?.text == reply.headers["location"])
      #expect(api.files().filter { $0.hasPrefix("contents") }.count == 1)
      let status = try await api.send("GET", "/v1/documents/\(id)")
      #expect(status.status == 200)
      #expect(status.json["document"]?["state"]?.text == "queued")
      #expect(status.json["job"]?["state"]?.text == "queued")
      #expect(status.json["document"]?["version"] == reply.json["version"])
      let list = try await api.send("GET", "/v1/documents?state=queued")
      #expect(list.json["documents"]?.elements.compactMap { $0["id"]?.text } == [id])
      #expect(try await api.send("GET", "/v1/documents").json["documents"]?.elements.count == 3)
    }
  }

  @Test(arguments: [
    ("attachment; filename=plain.pdf", "plain.pdf"), (#"attachment; filename="two words.pdf""#, "two words.pdf"),
    (#"inline; filename="a\"b.pdf""#, "a\"b.pdf"),
    ("attachment; filename=x.pdf; filename*=UTF-8''%e2%82%ac%20rates.pdf", "€ rates.pdf"),
    ("form-data;filename = spaced.pdf", nil), ("attachment", nil), ("attachment; filename*=latin1''a.pdf", nil),
    (#"attachment; filename="open"#, nil), (#"attachment; filename="../up.pdf""#, nil),
  ])
  func takesTheName_fromContentDisposition(header: String, name: String?) async throws {
    try await withAPI { api in
      let reply = try await api.upload("/v1/documents", headers: [("Content-Disposition", header)])
      #expect(reply.status == (name == nil ? 400 : 202))
      #expect(reply.json["name"]?.text == name)
      #expect(api.files().isEmpty == (name == nil))
    }
  }

  @Test(arguments: ["", ".", "..", "a%2Fb.pdf", "a%00b", "%0A", "0123456789abcdef0123456789abcdef"])
  func refusesNames_thatAreNone(name: String) async throws {
    try await withAPI { api in
      let reply = try await api.upload("/v1/documents?name=\(name)")
      #expect(reply.status == 400)
      #expect(reply.code == "upload.invalid_name")
      #expect(reply.json["field"]?.text == "name")
    }
  }

  @Test func putIsIdempotent_byContent() async throws {
    try await withAPI { api in
      let first = try await api.upload("/v1/documents/my%20report.pdf?collection=law", method: "PUT")
      #expect(first.status == 202)
      #expect(first.json["uri"]?.text == "upload://law/my report.pdf")
      let id = try #require(first.json["id"]?.text)
      // As if it had been ingested.
      let version = ContentVersion(rawValue: try #require(first.json["version"]?.text))
      let law = CollectionName(rawValue: "law")
      let uri = SourceURI(uploadNamed: "my report.pdf", collection: law)
      var indexed = Sample.indexed(
        Document(id: DocumentID(rawValue: id), collection: law, uri: uri, generation: 0, version: version),
        texts: ["The law."])
      indexed.sourceStamp = version.rawValue
      try await api.index.commit(indexed)
      try await api.jobs.remove(uri, collection: law)
      let again = try await api.upload("/v1/documents/my%20report.pdf?collection=law", method: "PUT")
      #expect(again.status == 200)
      #expect(again.json["outcome"]?.text == "unchanged" && again.json["id"]?.text == id)
      let next = try await api.upload("/v1/documents/\(id)", "%PDF-1.7 other", method: "PUT")
      #expect(next.status == 202)
      #expect(next.json["id"]?.text == id && next.json["collection"]?.text == "law")
      // The version that is searched, and the work on the next one.
      let status = try await api.send("GET", "/v1/documents/\(id)")
      #expect(status.json["document"]?["version"]?.text == version.rawValue)
      #expect(status.json["job"]?["version"] == next.json["version"])
      let wrong = try await api.upload("/v1/documents/\(id)?collection=default", method: "PUT")
      #expect(wrong.code == "upload.other_collection")
      let file = try await api.upload("/v1/documents/\(Library.pump.document.id)", method: "PUT")
      #expect(file.status == 409 && file.code == "upload.not_an_upload")
      let nobody = try await api.upload("/v1/documents/00000000000000000000000000000000", method: "PUT")
      #expect(nobody.status == 404)
    }
  }

  @Test func refusesWhatIsNoPDF_byTypeAndByContent() async throws {
    try await withAPI { api in
      let content = try await api.upload("/v1/documents?name=a.pdf", "<html>")
      #expect(content.status == 415 && content.code == "upload.not_pdf")
      for type in ["text/plain", "multipart/form-data; boundary=x", "application/pdfx", ""] {
        let reply = try await api.upload("/v1/documents?name=a.pdf", headers: [("Content-Type", type)])
        #expect(reply.status == 415 && reply.code == "request.unsupported_media_type")
      }
      let coded = try await api.upload("/v1/documents?name=a.pdf", headers: [("Content-Encoding", "gzip")])
      #expect(coded.status == 415)
      #expect(api.files().isEmpty)
      let plain = try await api.upload(
        "/v1/documents?name=a.pdf", headers: [("Content-Type", " Application/PDF ; x=y")])
      #expect(plain.status == 202)
    }
  }

  @Test func refusesWhatIsTooLong_orDoesNotFit() async throws {
    try await withAPI(settings: .init(version: "1", uploadBytes: 1000), uploadLimit: 500) { api in
      let long = try await api.upload("/v1/documents?name=a.pdf", "%PDF-" + String(repeating: "x", count: 1000))
      #expect(long.status == 413)
      let full = try await api.upload("/v1/documents?name=a.pdf", "%PDF-" + String(repeating: "x", count: 600))
      #expect(full.status == 507 && full.code == "upload.space_used")
      #expect(full.json["remedy"]?.text?.contains("uploads.maximumBytes") == true)
      #expect(api.files().isEmpty)
    }
  }

  @Test func takesBodies_longerThanOtherRequestsMayHave() async throws {
    try await withAPI(limits: .init(port: 0, maxBodyBytes: 1024, drainTimeout: .milliseconds(200))) { api in
      let body = "%PDF-" + String(repeating: "x", count: 3_000_000)
      let reply = try await api.upload("/v1/documents?name=a.pdf", body)
      #expect(reply.status == 202 && reply.json["byte_count"] == .number(3_000_005))
      let question = try await api.post("/v1/query", #"{"question": "\#(String(repeating: "x", count: 2000))"}"#)
      #expect(question.status == 413)
    }
  }

  @Test func keysAreGood_forTheirCollectionsAndWhatTheyAllow() async throws {
    try await withAPI { api in
      let board = try await api.makeKey(collections: [Self.board])
      let reader = try await api.makeKey(permission: .read)
      #expect(try await api.upload("/v1/documents?name=a.pdf").status == 401)
      let other = try await api.upload("/v1/documents?name=a.pdf", headers: [board.header])
      #expect(other.status == 403 && other.code == "collection.forbidden")
      let own = try await api.upload("/v1/documents?name=a.pdf&collection=board", headers: [board.header])
      #expect(own.status == 202)
      let id = try #require(own.json["id"]?.text)
      for (method, target) in [
        ("POST", "/v1/documents?name=a.pdf"), ("PUT", "/v1/documents/a.pdf"), ("DELETE", "/v1/documents/\(id)"),
      ] {
        let refused = try await api.upload(target, method: method, headers: [reader.header])
        #expect(refused.status == 403 && refused.code == "auth.read_only")
      }
      let seen = try await api.send("GET", "/v1/documents/\(id)", headers: [reader.header])
      #expect(seen.status == 200)
      #expect(try await api.post("/v1/search", #"{"question": "pump"}"#, headers: [reader.header]).status == 200)
      let law = try await api.makeKey(collections: [CollectionName(rawValue: "law")])
      for method in ["GET", "DELETE", "PUT"] {
        let hidden = try await api.upload("/v1/documents/\(id)", method: method, headers: [law.header])
        #expect(hidden.status == 404)
      }
      let list = try await api.send("GET", "/v1/documents?state=queued", headers: [law.header])
      #expect(list.json["documents"]?.elements.isEmpty == true)
    }
  }

  @Test func refusesBeforeTheBodyIsSent() async throws {
    try await withAPI { api in
      _ = try await api.makeKey()
      let client = try await TestClient.connected(to: api.port)
      await client.write(
        "POST /v1/documents?name=a.pdf HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n"
          + "Content-Length: 100000000\r\nExpect: 100-continue\r\n\r\n")
      #expect(try await client.reply().status == 401)
    }
  }

  @Test func leavesNothing_whenTheClientLeavesHalfWay() async throws {
    try await withAPI { api in
      let client = try await TestClient.connected(to: api.port)
      await client.write(
        "PUT /v1/documents/half.pdf HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n"
          + "Content-Length: 100000\r\n\r\n%PDF-1.7 the beginning")
      try await poll { api.files().contains { $0.hasSuffix(".part") } }
      await client.close()
      try await poll { api.files().isEmpty && api.server.requestsInFlight == 0 }
      #expect(try await api.jobs.jobs(in: nil, limit: 10).isEmpty)
      // It is nobody's fault.
      #expect(api.lines(with: "\"level\":\"error\"").isEmpty)
    }
  }

  @Test func refusesMoreThanItTakesAtOnce() async throws {
    try await withAPI(concurrentUploads: 1) { api in
      let slow = try await TestClient.connected(to: api.port)
      await slow.write(
        "PUT /v1/documents/slow.pdf HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n"
          + "Content-Length: 12\r\n\r\n%PDF-1")
      try await poll { api.files().contains { $0.hasSuffix(".part") } }
      let refused = try await api.upload("/v1/documents?name=b.pdf")
      #expect(refused.status == 429 && refused.code == "upload.too_many")
      #expect(refused.headers["retry-after"] == "1")
      await slow.write(".7 end")
      #expect(try await slow.reply().status == 202)
      #expect(try await api.upload("/v1/documents?name=b.pdf").status == 202)
    }
  }

  @Test func deletesBytes_withTheirLastDocument() async throws {
    try await withAPI { api in
      var ids: [String] = []
      for name in ["a.pdf", "b.pdf"] {
        let reply = try await api.upload("/v1/documents?name=\(name)")
        ids.append(try #require(reply.json["id"]?.text))
      }
      #expect(api.files().filter { $0.hasPrefix("contents") }.count == 1)
      #expect(try await api.send("DELETE", "/v1/documents/\(ids[0])").status == 204)
      #expect(try await api.send("GET", "/v1/documents/\(ids[0])").status == 404)
      #expect(api.files().filter { $0.hasPrefix("contents") }.count == 1)
      #expect(try await api.send("DELETE", "/v1/documents/\(ids[1])").status == 204)
      #expect(try await api.send("DELETE", "/v1/documents/\(ids[1])").status == 404)
      #expect(api.files().isEmpty)
    }
  }

  @Test func tellsWhyADocumentFailed_andListsIt() async throws {
    try await withAPI { api in
      let reply = try await api.upload("/v1/documents?name=locked.pdf")
      let id = try #require(reply.json["id"]?.text)
      let uri = SourceURI(uploadNamed: "locked.pdf", collection: .default)
      _ = try await api.jobs.lease(uri, collection: .default, owner: "a", now: .now, leaseUntil: .distantFuture)
      #expect(try await api.send("GET", "/v1/documents/\(id)").json["document"]?["state"]?.text == "running")
      try await api.jobs.fail(
        uri, collection: .default, owner: "a", code: "pdf.encrypted", message: "it is locked", nextTry: nil, now: .now)
      let status = try await api.send("GET", "/v1/documents/\(id)").json
      #expect(status["document"]?["state"]?.text == "failed")
      #expect(status["document"]?["reason"]?.text == "it is locked (pdf.encrypted)")
      #expect(status["job"]?["error_code"]?.text == "pdf.encrypted")
      for word in ["failed", "parked"] {
        let list = try await api.send("GET", "/v1/documents?state=\(word)").json
        #expect(list["documents"]?.elements.compactMap { $0["id"]?.text } == [id])
      }
      #expect(try await api.send("GET", "/v1/documents?state=asleep").code == "request.invalid_parameter")
      let ingestion = try await api.send("GET", "/v1/ingestion").json
      #expect(ingestion["queue"]?["failed"] == .number(1) && ingestion["queue"]?["queued"] == .number(0))
      let uploads = ingestion["sources"]?.elements.first { $0["uri"]?.text == "upload://" }
      #expect(uploads?["last_error"]?["code"]?.text == "pdf.encrypted")
      #expect(uploads?["last_success"] == nil)
    }
  }

  @Test func ingestionShowsOnly_whatTheKeyIsGoodFor() async throws {
    try await withAPI { api in
      let key = try await api.makeKey(collections: [Self.board])
      let all = try await api.makeKey()
      for collection in ["board", "default"] {
        _ = try await api.upload("/v1/documents?name=a.pdf&collection=\(collection)", headers: [all.header])
        api.activity.record(
          .started(SourceURI(uploadNamed: "a.pdf", collection: CollectionName(rawValue: collection))))
      }
      api.activity.record(.started(Library.pump.document.uri))
      let whole = try await api.send("GET", "/v1/ingestion", headers: [all.header]).json
      #expect(whole["queue"]?["queued"] == .number(2))
      #expect(whole["sources"]?.elements.count == 2 && whole["in_work"]?.elements.count == 3)
      let part = try await api.send("GET", "/v1/ingestion", headers: [key.header]).json
      #expect(part["queue"]?["queued"] == .number(1))
      #expect(part["sources"]?.elements.compactMap { $0["uri"]?.text } == ["upload://"])
      #expect(part["in_work"]?.elements.compactMap { $0["uri"]?.text } == ["upload://board/a.pdf"])
    }
  }
}
