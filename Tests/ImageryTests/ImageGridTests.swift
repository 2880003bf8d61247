import Testing

@testable import Imagery

struct ImageGridTests {
    @Test func cellsLieWherePaddingAndColumnsPutThem() throws {
        let images = (1...3).map { Image(width: 2, height: 1, channels: 1, pixels: [UInt8($0), UInt8($0 * 10)]) }
        let sheet = try ImageGrid(columns: 2, padding: 1, background: .black).layOut(images)
        #expect(
            sheet
                == Image(
                    width: 7, height: 5, channels: 1,
                    pixels: [
                        0, 0, 0, 0, 0, 0, 0,  //
                        0, 1, 10, 0, 2, 20, 0,  //
                        0, 0, 0, 0, 0, 0, 0,  //
                        0, 3, 30, 0, 0, 0, 0,  //
                        0, 0, 0, 0, 0, 0, 0,
                    ]))
    }

    @Test func pixelsAreEnlargedAndSmallerImagesCentred() throws {
        let images = [noiseImage(3, 3, 3), noiseImage(1, 1, 3, seed: 2)]
        let sheet = try ImageGrid(columns: 2, padding: 0, scale: 2).layOut(images)
        #expect(sheet.width == 12 && sheet.height == 6 && sheet.channels == 3)
        for y in 0..<6 {
            for x in 0..<12 {
                let got = Array(sheet.pixels[(y * 12 + x) * 3..<(y * 12 + x) * 3 + 3])
                if x < 6 {
                    let from = (y / 2 * 3 + x / 2) * 3
                    #expect(got == Array(images[0].pixels[from..<from + 3]))
                } else {
                    let inside = (8..<10).contains(x) && (2..<4).contains(y)
                    #expect(got == (inside ? images[1].pixels : [255, 255, 255]))
                }
            }
        }
    }

    @Test func greyMeetsColourAsColour() throws {
        let sheet = try ImageGrid(columns: 2, padding: 0).layOut([
            Image(width: 1, height: 1, channels: 1, pixels: [9]),
            Image(width: 1, height: 1, channels: 4, pixels: [1, 2, 3, 0]),
        ])
        #expect(sheet.pixels == [9, 9, 9, 255, 255, 255] && sheet.channels == 3)
    }

    @Test func letteringIsWholeAndBesideTheImages() throws {
        let image = Image(width: 8, height: 8, channels: 1, filledWith: .white)
        let grid = ImageGrid(
            columns: 2, padding: 3, rowTitles: ["seed 0", "seed 1"], columnTitles: ["dense", "difference"],
            captions: ["a", "b", "c", "d"])
        let sheet = try grid.layOut([image, image, image, image])
        // Cells as wide as "difference", 10 · 6 − 1; "seed 0" is 35 wide. Text is 8 high with a gap of 2.
        #expect(sheet.width == 3 + 35 + 3 + 2 * (59 + 3))
        #expect(sheet.height == 3 + 10 + 2 * (8 + 10 + 3))
        let ink = sheet.pixels.filter { $0 == 0 }.count
        let texts = grid.rowTitles + grid.columnTitles + grid.captions
        #expect(ink == texts.map(inkPixels).reduce(0, +))
        #expect(sheet.pixels.allSatisfy { $0 == 0 || $0 == 255 })
        let large = try ImageGrid(columns: 2, padding: 3, textScale: 2, captions: ["a", "b"]).layOut([image, image])
        #expect(large.pixels.filter { $0 == 0 }.count == 4 * (inkPixels("a") + inkPixels("b")))
        let dark = try ImageGrid(columns: 1, background: .black, captions: ["xyz"]).layOut([
            Image(width: 1, height: 1, channels: 1, pixels: [0])
        ])
        #expect(dark.pixels.filter { $0 == 255 }.count == inkPixels("xyz"))
    }

    @Test func everyPrintableCharacterHasItsOwnGlyph() {
        let glyphs = (32...126).map { code in drawing(Unicode.Scalar(UInt8(code))) }
        #expect(Set(glyphs).count == 95)
        #expect(glyphs[0].allSatisfy { !$0 })
        #expect(drawing("é") == drawing("?"))
    }

    @Test func impossibleSheetsAreErrors() {
        let image = noiseImage(2, 2, 1)
        #expect(throws: ImageError.self) { try ImageGrid(columns: 1).layOut([]) }
        for columns in [0, -1, Int.max] {
            #expect(throws: ImageError.self) { try ImageGrid(columns: columns).layOut([image]) }
        }
        for scale in [0, 32_768, Int.max] {
            #expect(throws: ImageError.self) { try ImageGrid(columns: 1, scale: scale).layOut([image]) }
        }
        #expect(throws: ImageError.self) { try ImageGrid(columns: 1, padding: -1).layOut([image]) }
        #expect(throws: ImageError.self) { try ImageGrid(columns: 30_000, scale: 30_000).layOut([image]) }
    }

    @Test func scaleShowsSmallImagesLargeEnough() {
        #expect(ImageGrid.scale(forSide: 28) == 3)
        #expect(ImageGrid.scale(forSide: 64) == 1)
        #expect(ImageGrid.scale(forSide: 1000) == 1)
        #expect(ImageGrid.scale(forSide: 32, shown: 96) == 3)
    }

    private func drawing(_ scalar: Unicode.Scalar) -> [Bool] {
        (0..<BitmapFont.glyphHeight).flatMap { y in
            (0..<BitmapFont.glyphWidth).map { x in BitmapFont.isInk(scalar, x: x, y: y) }
        }
    }

    private func inkPixels(_ text: String) -> Int {
        text.unicodeScalars.map { drawing($0).filter { $0 }.count }.reduce(0, +)
    }
}
