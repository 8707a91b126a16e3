import Answering
import Core
import HTTPServer

extension API {
  /// `POST /v1/search`.
  func search(_ request: HTTPRequest, _ context: RequestContext) async throws -> HTTPResponse {
    let body = try QuestionReading.read(request, conversationAllowed: false)
    let retrieval = try await parts.answering.search(body.coreQuestion, context: context)
    return .json(SearchBody(retrieval, traceID: context.traceID))
  }

  /// `POST /v1/query`: one JSON object, or server-sent events when the body or the `Accept` header asks for them.
  func query(_ request: HTTPRequest, _ context: RequestContext) async throws -> HTTPResponse {
    let body = try QuestionReading.read(request, conversationAllowed: true)
    let question = body.coreQuestion
    guard body.stream ?? request.headers.contains("text/event-stream", in: "Accept") else {
      return try await withinDeadline(context) {
        .json(AnswerBody(try await parts.answering.answer(question, context: context)))
      }
    }
    // What is wrong with the question is still told by a status; what goes wrong later, by an event.
    try await withinDeadline(context) { try await parts.answering.check(question, context: context) }
    return HTTPResponse(
      status: 200, headers: ["Content-Type": "text/event-stream", "X-Accel-Buffering": "no"],
      body: .stream { writer in try await stream(question, context, EventStream(writer)) })
  }

  private func stream(_ question: Question, _ context: RequestContext, _ events: EventStream) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await events.beat(every: settings.heartbeat)
        return false
      }
      group.addTask {
        try await answer(question, context, events)
        return true
      }
      defer { group.cancelAll() }
      while let isAnswered = try await group.next(), !isAnswered {}
    }
  }

  private func answer(_ question: Question, _ context: RequestContext, _ events: EventStream) async throws {
    do {
      let answer = try await withinDeadline(context) {
        try await parts.answering.answer(question, context: context) { progress in
          switch progress {
          case .passages(let passages):
            await events.offer("passages", PassagesEventBody(passages: passages.map(PassageBody.init)))
          case .token(let text): await events.offer("token", TokenEventBody(text: text))
          }
        }
      }
      try await events.send("answer", AnswerBody(answer))
    } catch {
      if error is CancellationError || (error as? HTTPServerError)?.code == HTTPServerError.clientLeft.code {
        throw error
      }
      let problem = Problem(error, traceID: context.traceID)
      requestLog.streamFailed(problem, error, context: context)
      try await events.send("error", problem.body)
    }
  }
}

/// The body of a question, read strictly.
enum QuestionReading {
  private static let searchFields = ["question", "collection", "filters", "top_k"]
  private static let queryFields = searchFields + ["conversation_id", "stream"]
  private static let filterFields = ["documents", "attributes"]
  /// Most documents of a filter.
  static let documentLimit = 1000

  /// Reads the body of `/v1/query`, or of `/v1/search`, which has no conversation and no stream.
  static func read(_ request: HTTPRequest, conversationAllowed: Bool) throws -> QueryBody {
    try requireJSON(request.head)
    let object = try RequestObject(body: request.body)
    try object.allowOnly(conversationAllowed ? queryFields : searchFields)
    var body = QueryBody(question: try object.requiredString("question"))
    body.collection = try object.string("collection")
    if let collection = body.collection { try checkCollection(collection) }
    body.topK = try object.integer("top_k", in: 1...RetrievalSettings.largestTopK)
    if conversationAllowed {
      body.conversationID = try object.string("conversation_id")
      body.stream = try object.bool("stream")
    }
    if let filters = try object.object("filters") {
      try filters.allowOnly(filterFields)
      let documents = try filters.strings("documents", atMost: documentLimit)
      for id in documents ?? [] where !DocumentID.isValid(id) {
        throw HTTPAPIError(
          code: "request.invalid_field", category: .invalidInput,
          message: "'\(id.clipped)' is no document id: 32 hexadecimal digits",
          remedy: "List them with GET /v1/documents.",
          field: "filters.documents")
      }
      body.filters = FiltersBody(documents: documents, attributes: try filters.texts("attributes"))
    }
    return body
  }

  /// Refuses what cannot name a collection.
  static func checkCollection(_ name: String) throws(HTTPAPIError) {
    guard CollectionName.isValid(name) else {
      throw HTTPAPIError(
        code: "collection.invalid", category: .invalidInput, message: "'\(name.clipped)' cannot name a collection",
        remedy: "Names have 1 to 64 of a–z, 0–9, -, _ and ., and begin with a letter or digit.", field: "collection")
    }
  }

  private static func requireJSON(_ head: HTTPRequestHead) throws(HTTPAPIError) {
    let type = head.headers["Content-Type"] ?? ""
    let essence = type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
    guard HTTPHeaders.sameName(essence, "application/json") else {
      throw HTTPAPIError(
        code: "request.unsupported_media_type", category: .invalidInput,
        message: type.isEmpty ? "the Content-Type header is missing" : "'\(type.clipped)' is not understood here",
        remedy: "Send Content-Type: application/json.", status: 415)
    }
    try requireIdentity(head)
  }

  /// Refuses bodies that are compressed on the way.
  static func requireIdentity(_ head: HTTPRequestHead) throws(HTTPAPIError) {
    guard let coding = head.headers["Content-Encoding"], !HTTPHeaders.sameName(coding, "identity") else { return }
    throw HTTPAPIError(
      code: "request.unsupported_media_type", category: .invalidInput,
      message: "the content coding '\(coding.clipped)' is not understood here", remedy: "Send the body as it is.",
      status: 415)
  }
}
