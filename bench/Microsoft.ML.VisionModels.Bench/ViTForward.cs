using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>One forward pass of ViT-B/16 at 224, in float32 and bfloat16, against ONNX Runtime in float32: same network, same weights.</summary>
internal static class ViTForward
{
    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        var checkpoint = arguments.Place("checkpoint", "vit-base-patch16-224.safetensors");
        var onnx = arguments.Place("onnx", "vit-base-patch16-224.onnx");
        foreach (var threads in arguments.Threads)
        {
            set_num_threads(threads);
            using var peer = new OnnxPeer(onnx, threads);
            foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
            {
                using var network = Networks.Load(checkpoint);
                network.to(type);
                foreach (var batch in arguments.Batches("1,8"))
                {
                    using var scope = NewDisposeScope();
                    var shape = new long[] { batch, 3, network.Config.ImageSize.Height, network.Config.ImageSize.Width };
                    using var generator = new Generator(2);
                    var pixels = randn(shape, generator: generator).data<float>().ToArray();

                    OnnxPeer.CheckAgreement(Score(network, pixels, shape, type), peer.Run(pixels, shape), type == ScalarType.Float32 ? 1e-4 : 0.05);
                    sideBySide.Run("vit-forward",
                        Contestant.Here(type == ScalarType.Float32 ? "ViT fp32" : "ViT bf16", () => Score(network, pixels, shape, type)),
                        Contestant.Here(OnnxPeer.Name, () => peer.Run(pixels, shape)), threads, batch);
                }
            }
        }
    }

    private static float[] Score(ViTNetwork network, float[] pixels, long[] shape, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        return network.forward(tensor(pixels, shape).to(type)).to(ScalarType.Float32).data<float>().ToArray();
    }
}
