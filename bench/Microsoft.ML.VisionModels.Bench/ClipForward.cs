using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// One forward pass of each tower of CLIP ViT-B/32, in float32 and bfloat16, against ONNX Runtime in float32: same network, same weights. Texts fill the 77 tokens, or
/// are a prompt's 9: this package's tokens end there, where a usual tokenizer pads to 77, so that the peer has both.
/// </summary>
internal static class ClipForward
{
    private const int PromptTokens = 9;     // "a photo of a fire engine." and the marks at both ends

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        using var network = new ClipModel().Open(arguments.Place("checkpoint", "clip-vit-base-patch32")).Build();
        var (images, texts) = (arguments.Place("onnx-images", "clip-vit-base-patch32-images.onnx"), arguments.Place("onnx-texts", "clip-vit-base-patch32-texts.onnx"));
        foreach (var (type, threads) in from type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16] from threads in arguments.Threads select (type, threads))
        {
            set_num_threads(threads);
            network.to(type);
            using (var peer = new OnnxPeer(images, threads))
            {
                foreach (var batch in arguments.Batches("1,32"))
                    CompareImages(network.Vision, peer, threads, batch, sideBySide);
            }
            using (var peer = new OnnxPeer(texts, threads))
            {
                foreach (var batch in arguments.Batches("1,32"))
                {
                    CompareTexts(network.Text, peer, network.Config.Text.Positions, threads, batch, sideBySide);
                    CompareTexts(network.Text, peer, PromptTokens, threads, batch, sideBySide);
                }
            }
        }
    }

    private static void CompareImages(ClipVisionNetwork network, OnnxPeer peer, int threads, int batch, SideBySide sideBySide)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var pixels = randn([batch, 3, 224, 224], generator: generator);
        var (values, shape) = (pixels.data<float>().ToArray(), pixels.shape);
        Compare("clip-forward (images)", network, () => tensor(values, shape), () => peer.Run(values, shape), threads, batch, sideBySide);
    }

    /// <param name="network">The text tower.</param>
    /// <param name="peer">The same in ONNX Runtime.</param>
    /// <param name="tokens">Of each text, with the marks at both ends.</param>
    /// <param name="threads">The threads that each may use.</param>
    /// <param name="batch">The number of texts.</param>
    /// <param name="sideBySide">What measures.</param>
    private static void CompareTexts(ClipTextNetwork network, OnnxPeer peer, int tokens, int threads, int batch, SideBySide sideBySide)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var (positions, end) = (network.Config.Positions, network.Config.VocabularySize - 1);
        var ids = cat([randint(end - 1, [batch, tokens - 1], dtype: ScalarType.Int64, generator: generator), full([batch, 1], end, ScalarType.Int64)], 1);
        var padded = nn.functional.pad(ids, [0, positions - tokens], PaddingModes.Constant, end);   // as Hugging Face's tokenizer does
        Compare(ids, $"{tokens} tokens");
        if (tokens < positions)
            Compare(padded, $"{tokens} tokens; the peer's padded to {positions}");

        void Compare(Tensor theirs, string what)
        {
            var (values, shape) = (ids.data<long>().ToArray(), ids.shape);
            var (peerValues, peerShape) = (theirs.data<long>().ToArray(), theirs.shape);
            ClipForward.Compare($"clip-forward (texts of {what})", network, () => tensor(values, shape), () => peer.Run(peerValues, peerShape), threads, batch, sideBySide);
        }
    }

    private static void Compare(
        string benchmark, nn.Module<Tensor, Tensor> network, Func<Tensor> input, Func<float[]> peer, int threads, int batch, SideBySide sideBySide)
    {
        var type = network.parameters().First().dtype;
        var single = type == ScalarType.Float32;
        OnnxPeer.CheckAgreement(Ours(), peer(), single ? 1e-4 : 0.05);
        sideBySide.Run(benchmark, Contestant.Here(single ? "CLIP fp32" : "CLIP bf16", () => Ours()), Contestant.Here(OnnxPeer.Name, () => peer()), threads, batch);

        float[] Ours()
        {
            using var scope = NewDisposeScope();
            using var inference = inference_mode();
            var x = input();
            return network.forward(x.is_floating_point() ? x.to(type) : x).to(ScalarType.Float32).data<float>().ToArray();
        }
    }
}
