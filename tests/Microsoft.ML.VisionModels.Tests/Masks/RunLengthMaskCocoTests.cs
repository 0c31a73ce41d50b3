using System.Text.Json;

namespace Microsoft.ML.VisionModels.Tests.Masks;

[Trait("Family", "Sam")]
public class RunLengthMaskCocoTests
{
    /// <summary>Texts that COCO's own maskApi gives for these runs.</summary>
    [Theory]
    [InlineData(18, 13, "Z7", new[] { 234 })]
    [InlineData(56, 32, "Ph1", new[] { 1792 })]
    [InlineData(16, 26, "g4854M2Oa6", new[] { 151, 8, 5, 12, 2, 14, 1, 223 })]
    [InlineData(37, 57, "08m0000000O100O1Ngh1", new[] { 0, 8, 29, 8, 29, 8, 29, 8, 29, 7, 30, 7, 30, 6, 31, 4, 1846 })]
    [InlineData(18, 12, @"9120>0N0O0`00UO0o00\O0G0M040M0>0M0100", new[] { 9, 1, 2, 1, 16, 1, 14, 1, 13, 1, 29, 1, 2, 1, 33, 1, 13, 1, 4, 1, 1, 1, 5, 1, 2, 1, 16, 1, 13, 1, 14, 1, 14 })]
    public void CompressesAsCocoDoes(int height, int width, string text, int[] counts)
    {
        var mask = RunLengthMask.FromCounts(height, width, counts);
        Assert.Equal(text, mask.ToCocoString());
        Assert.Equal(mask, RunLengthMask.FromCocoString(height, width, text));
        Assert.Equal(counts, RunLengthMask.FromCocoString(height, width, text).Counts);
    }

    [Fact]
    public void JsonReadsBack()
    {
        foreach (var random in RandomMask.Many(100))
        {
            foreach (var compressed in new[] { true, false })
                Assert.Equal(random.Mask, RunLengthMask.FromCocoJson(random.Mask.ToCocoJson(compressed)));
            using var json = JsonDocument.Parse(random.Mask.ToCocoJson());
            Assert.Equal(random.Mask.ToCocoString(), json.RootElement.GetProperty("counts").GetString());
        }
        Assert.Equal("""{"size":[2,3],"counts":[2,3,1]}""", RunLengthMask.FromCounts(2, 3, [2, 3, 1]).ToCocoJson(compressed: false));
        Assert.Equal("""{"size":[2,3],"counts":"231"}""", RunLengthMask.FromCounts(2, 3, [2, 3, 1]).ToCocoJson());
    }

    [Theory]
    [InlineData("Z", "cut off")]
    [InlineData("Z7Z7", "left")]
    [InlineData("9", "9 pixels")]
    [InlineData("Z 7", "character 1")]
    [InlineData("ZZZZZZZZZ7", "character 7")]
    [InlineData("O", "-1 pixels")]
    [InlineData("Zé", "character 1")]
    [InlineData("Z中", "character 1")]
    public void RefusesWhatIsNoCompressedMask(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => RunLengthMask.FromCocoString(18, 13, text)).Message);

    [Theory]
    [InlineData("[[1,2,3,4,5,6]]", "polygons")]
    [InlineData("""{"counts":[4]}""", "\"size\"")]
    [InlineData("""{"size":[2],"counts":[4]}""", "[height, width]")]
    [InlineData("""{"size":[2,2.5],"counts":[5]}""", "[height, width]")]
    [InlineData("""{"size":[2,2],"counts":[1,2.5]}""", "whole numbers")]
    [InlineData("""{"size":[2,2],"counts":[1,2]}""", "3 pixels")]
    [InlineData("""{"size":[2,2],"counts":4}""", "a text or a list")]
    [InlineData("""{"size":[0,2],"counts":[0]}""", "height")]
    [InlineData("""{"size":[2,2]""", "not JSON")]
    public void RefusesWhatIsNoSegmentation(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => RunLengthMask.FromCocoJson(json)).Message);
}
