"""python3 -m ffebm: a first gradient. A chain with one energy block, a batch of noise, and how good its gradient is."""
import numpy as np

import ffebm


def main():
    with ffebm.Context() as context:
        model = ffebm.Model(context, 16, "cross_entropy")
        model.add(ffebm.Feedforward(ffebm.Op("linear", out=32)))
        model.add(ffebm.Hopfield(ffebm.Coupling("dense", out=24), ffebm.Coupling("dense", out=16)))
        model.add(ffebm.Feedforward(ffebm.Op("linear", out=4))).initialize(seed=0)
        random = np.random.default_rng(0)
        images, labels = random.normal(size=(8, 16)).astype(np.float32), random.integers(0, 4, 8)
        with ffebm.Engine(model) as engine:
            report = engine.gradient(images, labels)
            worst = engine.certify(images, labels)
        print(f"{context}\n{model}\nloss {report.loss:.4f}, |gradient| {report.gradient_norm:.4f}, settled in at most "
              f"{report.sweeps} sweeps\nequilibrium propagation against the exact gradient: cosine {worst.cosine:.6f} or more")
    return 0 if worst.passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
