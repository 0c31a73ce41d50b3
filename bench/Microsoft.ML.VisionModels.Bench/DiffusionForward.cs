using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// A step of a U-Net, and the decoder of an autoencoder, in float32 and bfloat16, against ONNX Runtime in float32: same network, same weights.
/// Each is also compared with matrix products of as many operations, at the best that libtorch does them in the same run.
/// </summary>
internal static partial class DiffusionForward
{
    private const int Downscale = 8, Words = 77, WordWidth = 768, Latents = 4;

    private static readonly (float[] Values, long[] Shape) s_time = ([500], [1]), s_words = (Noise(Words * WordWidth, seed: 3), [1, Words, WordWidth]);

    /// <summary>The U-Nets of google/ddpm-cifar10-32, and of Stable Diffusion 1.5 for images of some sizes.</summary>
    public static void RunUNet(BenchArguments arguments, SideBySide sideBySide, ResultsFile results)
    {
        if (arguments.Text("networks", "all") is "all" or "small")
        {
            new Case<UNet>("unet (ddpm-cifar10-32, 32 x 32)", arguments.Place(PrepareDiffusion.SmallUNet, PrepareDiffusion.SmallUNet), $"{PrepareDiffusion.SmallUNet}-onnx", Channels: 3, Side: 32,
                (path, precision) => new UNetModel().Open(path).Build(precision: precision), (network, x) => network.forward(x, tensor(s_time.Values)), [s_time]).Run(arguments, sideBySide, results);
        }
        if (arguments.Text("networks", "all") is "small")
            return;
        foreach (var size in arguments.Text("size", "256,512").Split(',').Select(int.Parse))
        {
            new Case<UNet>($"unet (Stable Diffusion 1.5, {size} x {size})", Path.Combine(arguments.Place("checkpoint", PrepareDiffusion.StableDiffusion), "unet"), $"{PrepareDiffusion.StableDiffusion}-unet-onnx", Latents, size / Downscale,
                (path, precision) => new UNetModel().Open(path).Build(precision: precision),
                (network, x) => network.forward(x, tensor(s_time.Values), new() { Words = tensor(s_words.Values, s_words.Shape).to(x.dtype) }), [s_time, s_words]).Run(arguments, sideBySide, results);
        }
    }

    /// <summary>The decoder of Stable Diffusion 1.5's autoencoder.</summary>
    public static void RunAutoencoder(BenchArguments arguments, SideBySide sideBySide, ResultsFile results)
    {
        foreach (var size in arguments.Text("size", "256").Split(',').Select(int.Parse))
        {
            new Case<AutoencoderKl>($"autoencoder (Stable Diffusion 1.5's decoder, {size} x {size})", Path.Combine(arguments.Place("checkpoint", PrepareDiffusion.StableDiffusion), "vae"), $"{PrepareDiffusion.StableDiffusion}-decoder-onnx", Latents, size / Downscale,
                (path, precision) => new AutoencoderKlModel().Open(path).Build(precision: precision), (network, x) => network.Decode(x), []).Run(arguments, sideBySide, results);
        }
    }

    private sealed record Case<T>(
        string Name, string Folder, string Onnx, int Channels, int Side, Func<string, Precision, T> Open, Func<T, Tensor, Tensor> Forward, (float[] Values, long[] Shape)[] More) where T : nn.Module
    {
        public void Run(BenchArguments arguments, SideBySide sideBySide, ResultsFile results)
        {
            long[] shape = [1, Channels, Side, Side];
            var sample = Noise(shape.Product(), seed: 2);
            foreach (var threads in arguments.Threads)
            {
                set_num_threads(threads);
                using var peer = new OnnxPeer(Path.Combine(arguments.Place(Onnx, Onnx), "model.onnx"), threads);
                foreach (var precision in arguments.Text("precision", "Float32,BFloat16").Split(',').Select(Enum.Parse<Precision>))
                {
                    using var scoring = new ScoringNetwork(Open(Folder, precision), CPU, precision);
                    using var use = scoring.Use(scoring);
                    var (network, ours) = (use.As<T>(), $"{precision}".ToLowerInvariant());
                    OnnxPeer.CheckAgreement(Score(), Peer(), precision == Precision.Float32 ? 1e-4 : 0.05);
                    var cost = sideBySide.Run(Name, Contestant.Here(ours, () => Score()), Contestant.Here(OnnxPeer.Name, () => Peer()), threads, batch: 1);
                    var operations = Operations(network, Side);
                    var product = MatrixProducts(use.Type, operations);
                    Console.WriteLine(FormattableString.Invariant($"  {operations / 1e9:F1} GFLOP; matrix products at {operations / 1e6 / product.Cpu:F0} GFLOP a second of processor time"));
                    results.Add(new(Name, ours, "matrix products of as many operations", "CPU ms", cost.Cpu, product.Cpu, threads, Batch: 1));

                    float[] Score()
                    {
                        using var scope = NewDisposeScope();
                        using var inference = inference_mode();
                        return Forward(network, tensor(sample, shape).to(use.Type)).to(ScalarType.Float32).contiguous().data<float>().ToArray();
                    }
                }

                float[] Peer() => peer.Run([(sample, shape), .. More]);
            }
        }
    }

    /// <summary>What so many operations would cost at the best of several products of large square matrices.</summary>
    private static Cost MatrixProducts(ScalarType type, double operations)
    {
        const int Size = 2048, Rounds = 5;
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (x, weight) = (randn([Size, Size]).to(type), randn([Size, Size]).to(type));
        Action[] ways = type == ScalarType.Float32 ? [() => LinearProduct.ByOneDnn(x, weight, null).Dispose(), () => x.matmul(weight).Dispose()] : [() => x.matmul(weight).Dispose()];
        var best = Enumerable.Range(0, Rounds).SelectMany(_ => ways.Select(way => Contestant.Measure(way, times: 2))).MinBy(cost => cost.Cpu);
        var times = operations / (2.0 * Size * Size * Size);
        return new(best.Wall * times, best.Cpu * times);
    }

    /// <summary>Multiplications and additions of a pass for one sample of side x side places.</summary>
    private static double Operations(nn.Module network, int side)
    {
        var (isDecoder, last) = (network is AutoencoderKl, network is UNet { Config.Stages: var stages } ? stages - 1 : ((AutoencoderKl)network).Config.Stages - 1);
        return network.state_dict().Where(entry => entry.Value.dim() >= 2 && !(isDecoder && (entry.Key.StartsWith("encoder", StringComparison.Ordinal) || entry.Key.StartsWith("quant", StringComparison.Ordinal))))
            .Sum(entry => Of(entry.Key, entry.Value.shape));

        double Of(string name, long[] weight)
        {
            if (name.Contains("time_emb", StringComparison.Ordinal))
                return 2.0 * weight.Product();
            var places = Math.Pow(side * Math.Pow(2, Doublings(name)), 2);
            var tokens = name.Contains(".attn2.", StringComparison.Ordinal) ? Words : places;     // that are looked at
            var isOfWords = name.EndsWith("attn2.k.weight", StringComparison.Ordinal) || name.EndsWith("attn2.v.weight", StringComparison.Ordinal);
            var scores = AttentionEnd().IsMatch(name) ? 4 * places * tokens * weight[0] : 0;      // of queries and keys, and their means of values
            return 2 * weight.Product() * (isOfWords ? tokens : places) + scores;
        }

        // How many times the side of the features doubles up to a layer's outputs.
        int Doublings(string name)
        {
            if (name.Contains("conv_out", StringComparison.Ordinal))
                return isDecoder ? last : 0;
            if (name.Contains("mid_block", StringComparison.Ordinal))
                return isDecoder ? 0 : -last;
            if (Stage().Match(name) is not { Success: true } stage)
                return 0;
            var number = int.Parse(stage.Groups[2].Value);
            return stage.Groups[1].Value == "down" ? -number - (name.Contains("downsample", StringComparison.Ordinal) ? 1 : 0)
                : (isDecoder ? 0 : -last) + number + (name.Contains("upsample", StringComparison.Ordinal) ? 1 : 0);
        }
    }

    private static float[] Noise(long count, ulong seed)
    {
        using var scope = NewDisposeScope();
        return randn([count], generator: new Generator(seed)).data<float>().ToArray();
    }

    [GeneratedRegex(@"\b(down|up)_blocks\.(\d+)\.")]
    private static partial Regex Stage();

    [GeneratedRegex(@"\.attn[12]?\.proj\.weight$")]
    private static partial Regex AttentionEnd();
}
