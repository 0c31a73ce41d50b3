using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Training with less memory (arXiv 1604.06174): a block's intermediate tensors are not kept for the backward pass but computed
/// a second time in it. The gradients are the same; a step takes about a third longer.
/// </summary>
internal static class GradientCheckpointing
{
    // Of each thread that trains: so none is another training's. A GPU's second pass runs on a thread of libtorch, and so is told where.
    [ThreadStatic]
    private static StrongBox<ExceptionDispatchInfo?>? s_failure;

    [ThreadStatic]
    private static bool s_isSecondPass;

    /// <summary>Whether this thread computes a block a second time: what a layer counts of its batches, it has counted already.</summary>
    public static bool IsSecondPass => s_isSecondPass;

    /// <summary>Runs a block so, or plainly where no backward pass will come. The second pass has the random numbers and the precision of the first.</summary>
    /// <param name="block">Whose parameters receive their gradients.</param>
    /// <param name="forward">The block's forward pass, [B, ...] to a tensor. It must not hold tensors that may be gone by the backward pass.</param>
    /// <param name="x">The block's input.</param>
    /// <param name="generator">Where the block's dropout comes from; null where there is none.</param>
    public static Tensor Run(nn.Module block, Func<Tensor, Tensor> forward, Tensor x, Generator? generator) => Run(block, inputs => forward(inputs[0]), [x], generator);

    /// <inheritdoc cref="Run(nn.Module, Func{Tensor, Tensor}, Tensor, Generator)"/>
    /// <param name="block">Whose parameters receive their gradients.</param>
    /// <param name="forward">The block's forward pass, to one tensor. It must not hold tensors that may be gone by the backward pass, or that want gradients: all of these are inputs.</param>
    /// <param name="inputs">At least one.</param>
    /// <param name="generator">Where the block's dropout comes from; null where there is none.</param>
    public static Tensor Run(nn.Module block, Func<Tensor[], Tensor> forward, Tensor[] inputs, Generator? generator)
    {
        var inputWants = Array.Exists(inputs, input => input.requires_grad);
        if (!is_grad_enabled() || !(inputWants || block.parameters().Any(parameter => parameter.requires_grad)))
            return forward(inputs);
        // Autograd only calls back for an input that wants a gradient, also where only the block's parameters want one.
        if (!inputWants)
            inputs = [inputs[0].detach().requires_grad_(true), .. inputs[1..]];
        var call = new Call(forward, [.. inputs.Select(input => input.requires_grad)], generator, generator?.get_state().DetachFromDisposeScope(), MixedPrecision.Active, s_failure ??= new());
        return Function.apply([call, .. inputs])[0];
    }

    /// <summary>Throws what went wrong in the second pass of a block; to be called after a backward pass, on the thread of the first.</summary>
    public static void ThrowIfFailed()
    {
        if (s_failure is { } failure)
            Interlocked.Exchange(ref failure.Value, null)?.Throw();
    }

    /// <summary>What the second pass needs beside the inputs.</summary>
    private sealed record Call(Func<Tensor[], Tensor> Forward, bool[] Wants, Generator? Generator, Tensor? RandomState, bool MixedPrecision, StrongBox<ExceptionDispatchInfo?> Failure);

    private sealed class Function : autograd.MultiTensorFunction<Function>
    {
        public override string Name => nameof(GradientCheckpointing);

        public override List<Tensor> forward(autograd.AutogradContext context, params object[] arguments)
        {
            var (call, inputs) = ((Call)arguments[0], arguments[1..].Cast<Tensor>().ToArray());
            context.save_data(nameof(Call), call);
            context.save_for_backward([.. inputs]);
            using var noGradients = no_grad();
            return [call.Forward(inputs)];
        }

        // Called from native code, through which no exception passes; on a GPU from a thread of libtorch, where the step's dispose
        // scope does not reach.
        public override List<Tensor> backward(autograd.AutogradContext context, List<Tensor> gradients)
        {
            using var scope = NewDisposeScope();
            var call = (Call)context.get_data(nameof(Call));
            var saved = context.get_saved_variables();
            var now = call.Generator?.get_state();
            s_isSecondPass = true;
            try
            {
                Tensor[] inputs = [.. saved.Zip(call.Wants, (input, wants) => input.detach().requires_grad_(wants))];
                if (call.RandomState is { } then)
                    call.Generator!.set_state(then);
                using (enable_grad())
                using (call.MixedPrecision ? MixedPrecision.Begin() : null)
                    autograd.backward([call.Forward(inputs)], [gradients[0]]);
                return [null!, .. inputs.Select(input => input.grad?.DetachFromDisposeScope()!)];
            }
            catch (Exception e)
            {
                call.Failure.Value = ExceptionDispatchInfo.Capture(e);
                return [null!, .. saved.Zip(call.Wants, (input, wants) => wants ? zeros_like(input).DetachFromDisposeScope() : null!)];
            }
            finally
            {
                s_isSecondPass = false;
                if (now is not null)
                    call.Generator!.set_state(now);
                call.RandomState?.Dispose();
            }
        }
    }
}
