import Testing

@testable import TensorCore

@Suite struct MemoryArenaTests {
    private let kilobyte = 1 << 10

    @Test func idleNeighboursBecomeOne() {
        var arena = MemoryArena()
        let pieces = (0..<4).map { _ in arena.allocate(kilobyte) }
        #expect(pieces == (0..<4).map { pieces[0] + UInt($0 * kilobyte) })
        for index in [0, 2, 1] { arena.free(pieces[index], kilobyte) }
        let growths = arena.growths
        #expect(arena.allocate(3 * kilobyte) == pieces[0])
        #expect(arena.growths == growths && arena.bytesHeld == 4 * kilobyte)
    }

    @Test func aPieceGoesWhereItFitsFirst() {
        var arena = MemoryArena()
        let narrow = arena.allocate(2 * kilobyte)
        let first = arena.allocate(kilobyte)
        let wide = arena.allocate(4 * kilobyte)
        let second = arena.allocate(kilobyte)
        arena.free(wide, 4 * kilobyte)
        arena.free(narrow, 2 * kilobyte)
        #expect(arena.allocate(3 * kilobyte) == wide)
        #expect(arena.allocate(kilobyte) == narrow)
        #expect(arena.allocate(kilobyte) == narrow + UInt(kilobyte))
        #expect(arena.allocate(kilobyte) == wide + UInt(3 * kilobyte))
        #expect(Set([wide, first, narrow, second]).count == 4 && arena.bytesHeld == 8 * kilobyte)
    }

    /// The idle end of what was used is the beginning of what is taken when nothing is large enough.
    @Test func growthBeginsInIdleMemory() {
        var arena = MemoryArena()
        let first = arena.allocate(kilobyte)
        let last = arena.allocate(2 * kilobyte)
        arena.free(last, 2 * kilobyte)
        #expect(arena.allocate(3 * kilobyte) == last && arena.bytesHeld == 4 * kilobyte)
        arena.free(first, kilobyte)
        #expect(arena.allocate(kilobyte) == first)
    }

    /// Pieces never overlap, whatever comes and goes, and memory that was given back can be used again.
    @Test func piecesKeepTheirContents() {
        var arena = MemoryArena()
        var state: UInt64 = 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var live: [(address: UInt, bytes: Int, mark: UInt8)] = []
        func bytes(_ address: UInt, _ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
            UnsafeMutableBufferPointer(start: UnsafeMutablePointer(bitPattern: address), count: count)
        }
        for round in 0..<2000 {
            if live.count < 20 || random(2) == 0 {
                let size = 64 * (1 + random(4000))
                let address = arena.allocate(size)
                let mark = UInt8(random(256))
                bytes(address, size).update(repeating: mark)
                live.append((address, size, mark))
            } else {
                let piece = live.remove(at: random(live.count))
                #expect(bytes(piece.address, piece.bytes).allSatisfy { $0 == piece.mark })
                arena.free(piece.address, piece.bytes)
            }
            if round % 300 == 299 { arena.trim() }
        }
        let used = live.reduce(0) { $0 + $1.bytes }
        arena.trim()
        #expect(arena.bytesHeld == used)
        for piece in live {
            #expect(bytes(piece.address, piece.bytes).allSatisfy { $0 == piece.mark })
            arena.free(piece.address, piece.bytes)
        }
        arena.trim()
        #expect(arena.bytesHeld == 0)
    }
}
