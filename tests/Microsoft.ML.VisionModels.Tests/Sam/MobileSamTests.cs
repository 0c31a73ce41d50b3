using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Tests.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>MobileSAM's real weights and photographs, from the image files on.</summary>
[Trait("Category", "RealData")]
[Trait("Family", "Sam")]
public class MobileSamTests
{
    private const float Sure = 0.9f;    // a predicted IoU

    // Where rounding may tell on a small mask.
    private const int BorderPixels = 5;

    [Fact]
    public void AnswersLikeTheReferenceFromItsEmbedding()
    {
        using var folder = TestFolders.Temporary();
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = new SamModel().Open(Join(folder)).Build();
        using var expected = Checkpoint.Open(TestFolders.Data("mobilesam/expected.safetensors"));
        var questions = Questions().Where(question => expected.Tensors.ContainsKey($"{question.Image}_embedding")).ToArray();
        Assert.NotEmpty(questions);
        foreach (var question in questions)
        {
            var (masks, iou) = network.Decode(expected.Read($"{question.Image}_embedding"), question.Fed());
            var scores = iou[0].data<float>().ToArray();
            var chosen = question.Nearest([0, Enumerable.Range(1, scores.Length - 1).MaxBy(mask => scores[mask])], mask => scores[mask]);
            Assert.Equal(question.Iou, scores[chosen], 1e-3f);
            Assert.Equal(question.Area, question.Enlarge(masks[0, chosen]).Area, Math.Max(BorderPixels, question.Area * 1e-3));
            if (!expected.Tensors.ContainsKey(question.Logits))
                continue;
            var difference = (masks[0, chosen] - expected.Read(question.Logits)[0, 0]).abs().max().item<float>();
            Assert.True(difference <= 1e-2, $"{question.Name} differs by {difference}.");
        }
    }

    /// <summary>
    /// From the image files, as SAM prepares images. The reference's pixels were decoded by jpeg-js and resized without a filter (see
    /// <see cref="TinyVitRealDataTests"/>), which moves embeddings by up to 5 parts in a hundred, and scores with them. Masks of which the
    /// reference is sure agree but for their borders; the others are compared from the reference's embeddings alone, above.
    /// </summary>
    [Fact]
    public void AnswersNearlySoFromTheFiles()
    {
        using var folder = TestFolders.Temporary();
        using var scope = NewDisposeScope();
        using var session = new SamSession(Join(folder), device: "cpu");
        using var expected = Checkpoint.Open(TestFolders.Data("mobilesam/expected.safetensors"));
        var questions = Questions();
        Assert.NotEmpty(questions);
        foreach (var question in questions)
        {
            var image = session.SetImage(TestImages.Find(TestFolders.Data("mobilesam/images"), question.Image));
            var mask = question.Asked.Box is null ? session.Predict(image, question.Asked) : question.Nearest(
                [session.Predict(image, question.Asked, SamMaskChoice.Single)[0], session.Predict(image, question.Asked, SamMaskChoice.Three).MaxBy(mask => mask.Score)!], mask => mask.Score);
            Assert.Equal(question.Iou, mask.Score, 0.05f);
            var overlap = expected.Tensors.ContainsKey(question.Logits)
                ? mask.Mask.IoU(question.Enlarge(expected.Read(question.Logits)[0, 0]))
                : (double)Math.Min(mask.Mask.Area, question.Area) / Math.Max(mask.Mask.Area, question.Area);      // it is no more than that
            TestContext.Current.SendDiagnosticMessage($"{question.Name}: score {mask.Score} for {question.Iou}, area {mask.Mask.Area} for {question.Area}, IoU {overlap}");
            Assert.True(overlap >= 0.85 || question.Iou < Sure, $"{question.Name}: IoU {overlap}");
        }
    }

    /// <summary>What the reference was asked, and its answer.</summary>
    /// <param name="Name">The image and the prompt.</param>
    /// <param name="Image">The image's file without its extension.</param>
    /// <param name="Size">Of the image.</param>
    /// <param name="Asked">In pixels of the image.</param>
    /// <param name="Tokens">What was fed to the decoder: places in the resized image with their labels.</param>
    /// <param name="Iou">As predicted.</param>
    /// <param name="Area">Of the mask.</param>
    private sealed record Question(string Name, string Image, ImageSize Size, SamPrompt Asked, (float X, float Y, int Label)[] Tokens, float Iou, int Area)
    {
        // What labels of points say, of which two are the corners of a box; one is fed where there is no box.
        public const int Foreground = 1, TopLeft = 2, BottomRight = 3, NotAPoint = -1;

        public string Logits => $"{Name}_lowres";

        /// <summary>
        /// That which the reference chose: the mask for clear prompts, or the best of the others. Whether a box is a clear prompt is not
        /// the same to SAM's predictor and to the decoder that is exported to ONNX, which counts what is fed to it.
        /// </summary>
        public T Nearest<T>(IReadOnlyList<T> masks, Func<T, float> score) => masks.MinBy(mask => Math.Abs(score(mask) - Iou))!;

        public RunLengthMask Enlarge(Tensor logits) => new MaskEnlarger(1024, new ImageResize.LongestEdge(1024).SizeFor(Size), Size).Enlarge(logits).Mask;

        /// <summary>The tokens as the network takes them, which adds what is no point itself.</summary>
        public SamPromptTensors Fed()
        {
            var points = Tokens.Where(token => token.Label is not (TopLeft or BottomRight)).ToList();
            var box = Tokens.Where(token => token.Label is TopLeft or BottomRight).OrderBy(token => token.Label).SelectMany(corner => new[] { corner.X, corner.Y }).ToArray();
            if (box.Length == 0 && points.FindLastIndex(point => point.Label == NotAPoint) is >= 0 and var added)
                points.RemoveAt(added);
            return new(
                points.Count == 0 ? null : tensor(points.SelectMany(point => new[] { point.X, point.Y }).ToArray(), [1, points.Count, 2]),
                points.Count == 0 ? null : tensor(points.Select(point => (long)point.Label).ToArray(), [1, points.Count]),
                box.Length == 0 ? null : tensor(box, [1, 4]));
        }
    }

    private static List<Question> Questions()
    {
        return [.. JsonElement.Parse(File.ReadAllBytes(TestFolders.Data("mobilesam/prompts.json"))).EnumerateArray().Select(Read)];

        static Question Read(JsonElement prompt)
        {
            var image = prompt.GetProperty("image").GetString()!;
            var asked = Tokens(prompt, "points_orig", "labels").ToLookup(token => token.Label is Question.TopLeft or Question.BottomRight);
            var corners = asked[true].OrderBy(token => token.Label).ToArray();
            return new(
                $"{image}_{prompt.GetProperty("prompt")}", image, new(prompt.GetProperty("H").GetInt32(), prompt.GetProperty("W").GetInt32()),
                new()
                {
                    Points = [.. asked[false].Select(point => new SamPoint(point.X, point.Y, point.Label == Question.Foreground))],
                    Box = corners.Length == 0 ? null : new(corners[0].X, corners[0].Y, corners[1].X, corners[1].Y),
                },
                Tokens(prompt, "coords_1024", "labels_fed"), prompt.GetProperty("iou").GetSingle(), prompt.GetProperty("area_px").GetInt32());
        }

        static (float X, float Y, int Label)[] Tokens(JsonElement prompt, string places, string labels) =>
            [.. prompt.GetProperty(places).EnumerateArray().Zip(prompt.GetProperty(labels).EnumerateArray(), (place, label) => (place[0].GetSingle(), place[1].GetSingle(), label.GetInt32()))];
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
