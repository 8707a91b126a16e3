import Concurrency
import Core

/// Gives prepared retrievals by question text, and remembers how it was asked.
final class ScriptedRetriever: Retriever {
  struct Call: Sendable {
    var question: Question
    var context: RequestContext
  }

  private struct State {
    var calls: [Call] = []
    var running = 0
    var mostRunning = 0
  }

  private let answers: [String: Retrieval]
  private let state = Locked(State())

  init(_ answers: [String: Retrieval]) { self.answers = answers }

  var calls: [Call] { state.withLock { $0.calls } }
  var mostRunning: Int { state.withLock { $0.mostRunning } }

  func retrieve(_ question: Question, context: RequestContext) async throws -> Retrieval {
    state.withLock { state in
      state.calls.append(Call(question: question, context: context))
      state.running += 1
      state.mostRunning = max(state.mostRunning, state.running)
    }
    defer { state.withLock { $0.running -= 1 } }
    for _ in 0..<5 { await Task.yield() }
    guard let answer = answers[question.text] else {
      throw CoreError(code: "test.unknown", category: .notFound, message: "no answer to '\(question.text)'")
    }
    return answer
  }
}
