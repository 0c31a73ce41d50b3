using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Sam;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>MobileSAM's real weights and photographs, from the JPEG files on.</summary>
[Trait("Category", "RealData")]
[Trait("Family", "Sam")]
public class MobileSamTests
{
    [Fact]
    public void AnswersLikeTheReferenceFromItsEmbedding()
    {
        using var folder = TestFolders.Temporary();
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = new SamModel().Open(Join(folder)).Build();
        using var expected = Checkpoint.Open(TestFolders.Data("mobilesam/expected.safetensors"));
        foreach (var question in Questions().Where(question => question.Image == "truck"))
        {
            var labels = question.Asked.Points.Select(point => point.IsForeground ? 1L : 0L).ToArray();
            var (masks, iou) = network.Decode(expected.Read("truck_embedding"), new(tensor(question.NetworkPoints, [1, labels.Length, 2]), tensor(labels, [1, labels.Length])));
            var chosen = labels.Length > 1 ? 0 : 1 + iou[0, TensorIndex.Slice(1)].argmax().item<long>();
            var difference = (masks[0, chosen] - expected.Read($"{question.Name}_lowres")[0, 0]).abs().max().item<float>();
            Assert.True(difference <= 1e-2, $"{question.Name} differs by {difference}.");
            Assert.Equal(question.Iou, iou[0, chosen].item<float>(), 1e-3f);
            Assert.Equal(question.Area, question.Enlarge(masks[0, chosen]).Area, question.Area * 1e-3);
        }
    }

    /// <summary>
    /// From the JPEG files, as SAM prepares images. The reference's pixels were decoded by jpeg-js and resized without a filter (see
    /// <see cref="TinyVitRealDataTests"/>), so that masks agree but for their borders.
    /// </summary>
    [Fact]
    public void AnswersNearlySoFromTheFiles()
    {
        using var folder = TestFolders.Temporary();
        using var scope = NewDisposeScope();
        using var session = new SamSession(Join(folder), device: "cpu");
        using var expected = Checkpoint.Open(TestFolders.Data("mobilesam/expected.safetensors"));
        foreach (var question in Questions())
        {
            var mask = session.Predict(session.SetImage(TestFolders.Data($"mobilesam/images/{question.Image}.jpg")), question.Asked);
            Assert.Equal(question.Iou, mask.Score, 0.02f);
            var overlap = mask.Mask.IoU(question.Enlarge(expected.Read($"{question.Name}_lowres")[0, 0]));
            TestContext.Current.SendDiagnosticMessage($"{question.Name}: score {mask.Score} for {question.Iou}, area {mask.Mask.Area} for {question.Area}, IoU {overlap}");
            Assert.InRange(overlap, 0.85, 1);
        }
    }

    private sealed record Question(string Name, string Image, ImageSize Size, SamPrompt Asked, float[] NetworkPoints, float Iou, int Area)
    {
        public RunLengthMask Enlarge(Tensor logits) => new MaskEnlarger(1024, new ImageResize.LongestEdge(1024).SizeFor(Size), Size).Enlarge(logits).Mask;
    }

    private static List<Question> Questions()
    {
        using var prompts = JsonDocument.Parse(File.ReadAllBytes(TestFolders.Data("mobilesam/prompts.json")));
        return [.. prompts.RootElement.EnumerateArray().Select(prompt =>
        {
            var labels = prompt.GetProperty("labels").EnumerateArray().Select(label => label.GetInt32() == 1).ToArray();
            var points = Numbers("points_orig").Chunk(2).Select((point, i) => new SamPoint(point[0], point[1], labels[i])).ToArray();
            var image = prompt.GetProperty("image").GetString()!;
            return new Question($"{image}_{prompt.GetProperty("prompt")}", image, new(prompt.GetProperty("H").GetInt32(), prompt.GetProperty("W").GetInt32()),
                new SamPrompt { Points = points }, Numbers("coords_1024")[..(2 * labels.Length)], prompt.GetProperty("iou").GetSingle(), prompt.GetProperty("area_px").GetInt32());

            float[] Numbers(string name) => [.. prompt.GetProperty(name).EnumerateArray().SelectMany(point => point.EnumerateArray()).Select(number => number.GetSingle())];
        })];
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
