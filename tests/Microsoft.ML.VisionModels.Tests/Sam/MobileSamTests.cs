using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sam;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>MobileSAM's real weights and photographs, from the JPEG files on.</summary>
[Trait("Category", "RealData")]
[Trait("Family", "Sam")]
public class MobileSamTests
{
    [Fact]
    public void AnswersLikeTheReference()
    {
        using var folder = TestFolders.Temporary();
        var file = Join(folder);
        using var scope = NewDisposeScope();
        using var session = new SamSession(file, device: "cpu");
        using var expected = Checkpoint.Open(TestFolders.Data("mobilesam/expected.safetensors"));
        using var prompts = JsonDocument.Parse(File.ReadAllBytes(TestFolders.Data("mobilesam/prompts.json")));
        foreach (var prompt in prompts.RootElement.EnumerateArray())
        {
            var (picture, name) = (prompt.GetProperty("image").GetString()!, prompt.GetProperty("prompt").GetString());
            var image = session.SetImage(TestFolders.Data($"mobilesam/images/{picture}.jpg"));
            if (expected.Tensors.ContainsKey($"{picture}_embedding"))
                AssertClose($"{picture}'s embedding", expected.Read($"{picture}_embedding"), image.Embedding, 1e-3);

            var labels = prompt.GetProperty("labels").EnumerateArray().Select(label => label.GetInt32() == 1).ToArray();
            var points = prompt.GetProperty("points_orig").EnumerateArray().Select((point, i) => new SamPoint(point[0].GetSingle(), point[1].GetSingle(), labels[i])).ToArray();
            var all = session.Predict(image, new SamPrompt { Points = points }, SamMaskChoice.Single).Concat(session.Predict(image, new SamPrompt { Points = points }, SamMaskChoice.Three)).ToArray();
            var mask = all.MinBy(mask => Math.Abs(mask.Score - prompt.GetProperty("iou").GetSingle()))!;
            Console.WriteLine($"{picture} {name}: scores {string.Join(" ", all.Select(mask => $"{mask.Score:F4}"))}, expected {prompt.GetProperty("iou")}; areas {string.Join(" ", all.Select(mask => mask.Mask.Area))}, expected {prompt.GetProperty("area_px")}");
            if (expected.Tensors.ContainsKey($"{picture}_{name}_lowres"))
                AssertClose($"{picture} {name}", expected.Read($"{picture}_{name}_lowres"), mask.Logits, 1e-2);
        }
    }

    private static void AssertClose(string what, Tensor expected, float[] actual, double tolerance)
    {
        var difference = (expected.flatten() - tensor(actual)).abs().max().item<float>();
        Console.WriteLine($"{what}: {difference}");
        Assert.True(difference <= tolerance, $"{what} differs by {difference}; allowed are {tolerance}.");
    }

    /// <summary>One file of the encoder's and the decoder's, as MobileSAM publishes them.</summary>
    internal static string Join(TestFolders.TemporaryFolder folder)
    {
        using var scope = NewDisposeScope();
        using var encoder = Checkpoint.Open(TestFolders.Data("mobilesam/mobilesam_tinyvit_encoder_bnfolded.safetensors"));
        using var decoder = Checkpoint.Open(TestFolders.Data("mobilesam/sam_prompt_mask_decoder.safetensors"));
        SafetensorsWriter.Write(folder.File("mobile_sam.safetensors"),
            [.. encoder.Tensors.Keys.Select(name => (name.StartsWith("image_encoder.", StringComparison.Ordinal) ? name : "image_encoder." + name, encoder.Read(name))),
             .. decoder.Tensors.Keys.Select(name => (name, decoder.Read(name)))]);
        return folder.File("mobile_sam.safetensors");
    }
}
